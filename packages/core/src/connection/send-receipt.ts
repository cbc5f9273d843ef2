/** The promise of a `send`: one whose failure nobody hears is no unhandled rejection, and is reported instead. */

export class SendReceipt extends Promise<void> {
  /** Whether anybody waits for it. */
  isAwaited = false;

  // What is chained to it is an ordinary promise.
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  // `await` calls it on a subclass, so this is where it shows whether anybody waits.
  override then<A = undefined, B = never>(
    fulfilled?: ((value: undefined) => A | PromiseLike<A>) | null,
    rejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.isAwaited = true;
    return super.then(fulfilled as never, rejected);
  }
}

/** A receipt that is settled later. */
export class PendingReceipt {
  readonly promise: SendReceipt;
  readonly #report: (error: Error) => void;
  #resolve!: () => void;
  #reject!: (error: Error) => void;

  /** @param report told of a failure that nobody waits for */
  constructor(report: (error: Error) => void) {
    this.#report = report;
    this.promise = new SendReceipt((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  settle(error: Error | null): void {
    if (error === null) {
      this.#resolve();
      return;
    }
    void Promise.prototype.then.call(this.promise, undefined, () => undefined);
    this.#reject(error);
    // Whoever waits has said so by the end of this turn.
    setImmediate(() => {
      if (!this.promise.isAwaited) this.#report(error);
    });
  }
}
