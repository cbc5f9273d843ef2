import type { Clock, Timer } from '../clock.js';

/** A lease that was held too long, or dropped without a release. */
export interface Leak {
  /** Held over `leakThreshold`, or garbage-collected without a release. */
  readonly kind: 'held' | 'dropped';
  /** Milliseconds since it was acquired. */
  readonly held: number;
  /** Where it was acquired. */
  readonly stack: string;
}

interface Watch<K> {
  readonly key: K;
  readonly since: number;
  readonly stack: string;
  reported: boolean;
}

/**
 * Remembers where each lease was acquired and reports those held longer than the threshold, and those that were
 * garbage-collected unreleased. Both cost five times an acquire, so a detector exists only if enabled.
 */
export class LeakDetector<K extends object> {
  // In the order of acquiring, hence of becoming due: one timer, for the first, is enough.
  readonly #watches = new Map<K, Watch<K>>();
  readonly #finalizers = new FinalizationRegistry<Watch<K>>((watch) => this.#dropped(watch));
  readonly #clock: Clock;
  readonly #threshold: number;
  readonly #report: (leak: Leak, key: K) => void;
  #timer: Timer | undefined;

  /** @param threshold milliseconds a lease may be held before it is reported */
  constructor(clock: Clock, threshold: number, report: (leak: Leak, key: K) => void) {
    this.#clock = clock;
    this.#threshold = threshold;
    this.#report = report;
  }

  /** Watches the lease of `key`, which must not reference the lease; `stack` shows where it was acquired. */
  watch(key: K, lease: object, stack: string): void {
    const watch = { key, since: this.#clock.now(), stack, reported: false };
    this.#watches.set(key, watch);
    this.#finalizers.register(lease, watch);
    this.#timer ??= this.#clock.after(this.#threshold, () => this.#ring());
  }

  forget(key: K): void {
    this.#watches.delete(key);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#watches.clear();
  }

  #ring(): void {
    const now = this.#clock.now();
    this.#timer = undefined;
    for (const watch of this.#watches.values()) {
      if (watch.reported) continue;
      const left = watch.since + this.#threshold - now;
      if (left > 0) return void (this.#timer = this.#clock.after(Math.ceil(left), () => this.#ring()));
      watch.reported = true;
      this.#report({ kind: 'held', held: now - watch.since, stack: watch.stack }, watch.key);
    }
  }

  #dropped(watch: Watch<K>): void {
    if (this.#watches.get(watch.key) !== watch) return;
    this.#watches.delete(watch.key);
    this.#report({ kind: 'dropped', held: this.#clock.now() - watch.since, stack: watch.stack }, watch.key);
  }
}

/** The stack from the caller's caller on. */
export function stackOfCaller(): string {
  return new Error('acquired').stack?.split('\n').slice(3).join('\n') ?? '';
}
