/** A promise that notices each time that a program begins to wait for it, which may be long after it was read. */
export class WatchedPromise<T> extends Promise<T> {
  readonly #awaited: () => void;

  // What is chained to it is an ordinary promise.
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  constructor(promise: Promise<T>, awaited: () => void) {
    super((resolve) => {
      resolve(promise);
    });
    this.#awaited = awaited;
  }

  // `await` calls it on a subclass.
  override then<A = T, B = never>(
    fulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    rejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.#awaited();
    return super.then(fulfilled, rejected);
  }
}
