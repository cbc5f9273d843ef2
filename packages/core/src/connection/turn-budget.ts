/**
 * How much of one turn of the event loop the program's work on one connection's input may take: a batch of messages in one
 * chunk yields to other connections after a few milliseconds, and continues in the next turn.
 */

/** Milliseconds after which others have their turn, and those of each turn after that. */
const FIRST_MS = 5;
const NEXT_MS = 1;
/** The clock is read once per this many messages. */
const BATCH_CHECK = 16;

export class TurnBudget {
  readonly #owner: { goOn(): void };
  #messages = 0;
  #startedAt = 0;
  #timing = false;
  #spent = false;
  #most = FIRST_MS;

  /** @param owner notified in the next turn that the rest may continue */
  constructor(owner: { goOn(): void }) {
    this.#owner = owner;
  }

  /** A chunk of input begins: its messages are counted afresh, unless this turn's work is being timed already. */
  begin(): void {
    if (!this.#timing) this.#messages = 0;
  }

  /** Counts a message; true where this turn's budget is spent, and the message has to wait. */
  isSpent(): boolean {
    if (this.#spent) return true;
    this.#messages += 1;
    return this.#messages % BATCH_CHECK === 0 && this.#isTimeOver();
  }

  /** Reading the clock is a separate function: counting alone is small enough to be inlined at every call. */
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

  /** A new turn of the event loop has begun. */
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
