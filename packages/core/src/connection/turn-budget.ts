/**
 * How much of one turn of the event loop the program's work on one connection's input may take: a batch of messages in one
 * chunk gives way to other connections after a few milliseconds, and goes on with the next turn.
 */

/** Milliseconds after which others have their turn, and those of each turn after that. */
const FIRST_MS = 5;
const NEXT_MS = 1;
/** The clock is looked at once for so many messages. */
const BATCH_CHECK = 16;

export class TurnBudget {
  readonly #owner: { goOn(): void };
  #messages = 0;
  #startedAt = 0;
  #timing = false;
  #spent = false;
  #most = FIRST_MS;

  /** @param owner told in the next turn that what was left may go on */
  constructor(owner: { goOn(): void }) {
    this.#owner = owner;
  }

  /** A chunk of input begins: its messages are counted anew, unless this turn's work is being timed already. */
  begin(): void {
    if (!this.#timing) this.#messages = 0;
  }

  /** Counts a message; whether this turn's work is enough, and the message has to wait. */
  isSpent(): boolean {
    if (this.#spent) return true;
    this.#messages += 1;
    return this.#messages % BATCH_CHECK === 0 && this.#isTimeOver();
  }

  /** The clock is apart from the count, which is small enough to be compiled into every place that counts. */
  #isTimeOver(): boolean {
    const now = performance.now();
    if (!this.#timing) {
      this.#timing = true;
      this.#startedAt = now;
      setImmediate(turned, this);
      return false;
    }
    this.#spent = now - this.#startedAt >= this.#most;
    return this.#spent;
  }

  /** The event loop has gone round. */
  turned(): void {
    this.#timing = false;
    this.#messages = 0;
    this.#most = this.#spent ? NEXT_MS : FIRST_MS;
    if (!this.#spent) return;
    this.#spent = false;
    this.#owner.goOn();
  }
}

function turned(budget: TurnBudget): void {
  budget.turned();
}
