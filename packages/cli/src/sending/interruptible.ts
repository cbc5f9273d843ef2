/** A source that can be abandoned while it is pending, such as interactive input. */
export class Interruptible<Item> implements AsyncIterable<Item> {
  readonly #source: AsyncIterable<Item>;
  #leave: (() => void) | null = null;
  /** Whether it was abandoned before its end. */
  interrupted = false;
  #done = false;

  constructor(source: AsyncIterable<Item>) {
    this.#source = source;
  }

  /** Ends the iteration now. */
  interrupt(): void {
    if (this.#done) return;
    this.interrupted = true;
    this.#leave?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Item> {
    const items = this.#source[Symbol.asyncIterator]();
    while (!this.interrupted) {
      const next = await this.#next(items);
      if (next === null) return;
      if (next.done === true) break;
      yield next.value;
    }
    this.#done = true;
  }

  #next(items: AsyncIterator<Item>): Promise<IteratorResult<Item> | null> {
    return new Promise((resolve, reject) => {
      this.#leave = () => {
        resolve(null);
      };
      items.next().then(resolve, reject);
    });
  }
}
