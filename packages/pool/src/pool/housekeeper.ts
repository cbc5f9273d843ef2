import type { Clock, Timer } from '../clock.js';

/**
 * Sweeps exactly when something falls due: one timer, set for the earliest time it was told of. Nothing ticks in a pool
 * that has nothing to expire, and the timer never keeps the process alive.
 */
export class Housekeeper {
  readonly #clock: Clock;
  readonly #sweep: (now: number) => number;
  #timer: Timer | undefined;
  #due = Infinity;

  /** @param sweep does what is due and returns when something is due next, or `Infinity` */
  constructor(clock: Clock, sweep: (now: number) => number) {
    this.#clock = clock;
    this.#sweep = sweep;
  }

  /** Something falls due then; the common call, for a time that is later than the one known, costs a comparison. */
  note(due: number): void {
    if (due < this.#due) this.#arm(due);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    // Later notes find an earlier time already known and so set nothing.
    this.#due = -Infinity;
  }

  #arm(due: number): void {
    this.#timer?.cancel();
    this.#due = due;
    this.#timer = this.#clock.after(Math.ceil(due - this.#clock.now()), () => this.#ring());
  }

  #ring(): void {
    this.#timer = undefined;
    this.#due = Infinity;
    this.note(this.#sweep(this.#clock.now()));
  }
}
