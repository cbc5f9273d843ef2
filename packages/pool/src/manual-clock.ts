import type { Clock, Timer } from './clock.js';

interface Pending {
  readonly due: number;
  readonly callback: () => void;
}

/** A clock advanced by hand: a year of a pool's life in a moment, and deterministic. */
export class ManualClock implements Clock {
  readonly #pending = new Set<Pending>();
  #now = 0;

  now(): number {
    return this.#now;
  }

  /** How many timers are pending. */
  get timers(): number {
    return this.#pending.size;
  }

  after(ms: number, callback: () => void): Timer {
    if (Number.isNaN(ms)) throw new Error('a timer set for no time at all');
    const pending = { due: this.#now + Math.max(ms, 0), callback };
    this.#pending.add(pending);
    return { cancel: () => void this.#pending.delete(pending), keepAlive: () => undefined };
  }

  /** Advances the time, fires everything due in it, and waits until the consequences have settled. */
  async advance(ms: number): Promise<void> {
    await settled();
    const end = this.#now + ms;
    let fired = 0;
    for (let next = this.#next(end); next; next = this.#next(end)) {
      if ((fired += 1) > 10_000) throw new Error('timers are set again and again without time passing');
      this.#now = Math.max(this.#now, next.due);
      this.#pending.delete(next);
      next.callback();
      await settled();
    }
    this.#now = end;
  }

  #next(end: number): Pending | undefined {
    let next: Pending | undefined;
    for (const pending of this.#pending) {
      if (pending.due <= end && (!next || pending.due < next.due)) next = pending;
    }
    return next;
  }
}

/** Waits until every promise that can settle has. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
