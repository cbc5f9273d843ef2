import { offAbort, onAbort } from '@knsock/core/options';
import type { Clock, Timer } from '../clock.js';
import { boundedWait } from './wait-options.js';
import { WaitQueue, type Waiter } from './wait-queue.js';

/** A caller's timeout and abort signal. */
export interface Patience {
  /** Milliseconds. */
  readonly timeout: number;
  readonly signal: AbortSignal | undefined;
}

/** A caller whose deadline has passed, to be rejected. */
export type Late = Pick<Waiter<never>, 'since' | 'deadline' | 'reject'>;

/**
 * The queue with its deadlines and abort signals. One timer serves all callers: it is set for the earliest deadline, and
 * the queue is scanned only when it fires. It keeps the process alive only while a caller waits.
 */
export class WaitingRoom<T> {
  readonly #queue = new WaitQueue<T>();
  readonly #clock: Clock;
  readonly #onLate: (late: readonly Late[]) => void;
  readonly #onLeave: () => void;
  #timer: Timer | undefined;
  #timerDue = Infinity;

  /**
   * @param onLate receives callers whose deadline has passed, to reject them
   * @param onLeave called when a caller gave up, since fewer resources may be needed then
   */
  constructor(clock: Clock, onLate: (late: readonly Late[]) => void, onLeave: () => void) {
    this.#clock = clock;
    this.#onLate = onLate;
    this.#onLeave = onLeave;
  }

  get size(): number {
    return this.#queue.size;
  }

  /** Appends to the queue; rejects with the signal's reason, or as `onLate` does. */
  enter({ timeout, signal }: Patience): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      // Inside the promise, so that invalid options reject like everything else.
      boundedWait('timeout', timeout);
      const since = this.#clock.now();
      const waiter: Waiter<T> = {
        deadline: since + timeout,
        since,
        resolve,
        reject,
        leave: signal && (() => offAbort(signal, aborted)),
        previous: undefined,
        next: undefined,
        queued: false,
      };
      const aborted = () => this.#abort(waiter, signal?.reason);
      if (signal) onAbort(signal, aborted);
      this.#queue.add(waiter);
      this.#expect(waiter.deadline, since);
    });
  }

  /** Removes the caller that has waited longest. */
  next(): Waiter<T> | undefined {
    const waiter = this.#queue.shift();
    if (this.#queue.size === 0) this.#timer?.keepAlive(false);
    return waiter;
  }

  /** Rejects all waiting callers. */
  clear(reason: (waiter: Waiter<T>) => unknown): void {
    for (let waiter = this.next(); waiter; waiter = this.next()) waiter.reject(reason(waiter));
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerDue = Infinity;
  }

  #expect(deadline: number, now: number): void {
    if (deadline >= this.#timerDue) {
      if (this.#queue.size === 1) this.#timer?.keepAlive(true);
      return;
    }
    this.#timer?.cancel();
    this.#timerDue = deadline;
    this.#timer = this.#clock.after(Math.ceil(deadline - now), () => this.#ring());
    this.#timer.keepAlive(true);
  }

  #ring(): void {
    this.#timer = undefined;
    this.#timerDue = Infinity;
    const now = this.#clock.now();
    const late = this.#queue.expired(now);
    if (this.#queue.size > 0) this.#expect(this.#queue.earliest(), now);
    if (late.length === 0) return;
    this.#onLate(late);
    this.#onLeave();
  }

  #abort(waiter: Waiter<T>, reason: unknown): void {
    if (!this.#queue.remove(waiter)) return;
    if (this.#queue.size === 0) this.#timer?.keepAlive(false);
    waiter.reject(reason);
    this.#onLeave();
  }
}
