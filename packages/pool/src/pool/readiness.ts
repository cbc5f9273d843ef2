import type { Clock } from '../clock.js';
import { WaitingRoom, type Late, type Patience } from '../waiting/waiting-room.js';

/** Callers of `ready()`: answered when enough resources exist, or when the first attempt to create fails. */
export class Readiness {
  readonly #min: number;
  readonly #room: WaitingRoom<void>;

  /** The rest is as for a WaitingRoom. */
  constructor(min: number, clock: Clock, onLate: (late: readonly Late[]) => void, onLeave: () => void) {
    this.#min = min;
    this.#room = new WaitingRoom(clock, onLate, onLeave);
  }

  /** Whether a caller waits for it. */
  get awaited(): boolean {
    return this.#room.size > 0;
  }

  /** How many should exist regardless of waiting callers: `min`, or one for callers of `ready()`. */
  get target(): number {
    return Math.max(this.#min, this.#room.size > 0 ? 1 : 0);
  }

  /** Whether this many are enough. */
  suffices(live: number): boolean {
    return live >= Math.max(this.#min, 1);
  }

  enter(patience: Patience): Promise<void> {
    return this.#room.enter(patience);
  }

  /** Reports how many exist now. */
  reached(live: number): void {
    if (!this.suffices(live)) return;
    for (let waiter = this.#room.next(); waiter; waiter = this.#room.next()) waiter.resolve();
  }

  fail(error: unknown): void {
    this.#room.clear(() => error);
  }
}
