/**
 * How a program's `for await` over a raw stream ends. Node destroys a stream whose loop is left, without a word to the peer, and
 * keeps one that was read to its end open for writing; who else reads, or writes later, it can't know.
 */
import type { Duplex } from 'node:stream';

export class LoopWatch {
  /** Whether a loop has read to the end. */
  isRead = false;
  /** Whether one was left before. */
  isLeft = false;
  readonly #duplex: Duplex;
  readonly #left: () => void;

  /** @param left called in the turn after a loop was left before the end */
  constructor(duplex: Duplex, left: () => void) {
    this.#duplex = duplex;
    this.#left = left;
    duplex[Symbol.asyncIterator] = () => this.#loop();
  }

  #loop(): ReturnType<Duplex['iterator']> {
    const loop = this.#duplex.iterator({ destroyOnReturn: false });
    const next = loop.next.bind(loop);
    const leave = loop.return?.bind(loop);
    loop.next = async () => {
      const step = await next();
      if (step.done === true) this.isRead = true;
      return step;
    };
    loop.return = async (value?: unknown) => {
      // Where the loop threw, the failure of the handler comes first, and says why.
      if (!this.isRead && !this.#duplex.destroyed) {
        this.isLeft = true;
        setImmediate(this.#left);
      }
      return (await leave?.(value)) ?? { done: true, value };
    };
    return loop;
  }
}
