import type { Clock, Timer } from '../clock.js';

/**
 * Sweeps exactly when something is due: one timer, set for the earliest noted time. A pool with
 * nothing to expire has no timer, and the timer never keeps the process alive.
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

  /** Notes a due time; the common case, a later time than the known one, costs a comparison. */
  note(due: number): void {
    if (due < this.#due) this.#arm(due);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    // Later notes find an earlier time and set nothing.
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
