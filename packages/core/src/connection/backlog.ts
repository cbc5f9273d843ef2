/** Messages accepted from the program while the peer reads slowly: kept in order, bounded, sent as room appears. */
import { EasySocketError } from '../errors/index.js';

interface Held {
  readonly bytes: Uint8Array;
  readonly sent: (() => void) | undefined;
  readonly failed: ((error: Error) => void) | undefined;
}

export class Backlog {
  readonly #maxBytes: number;
  readonly #held = new Set<Held>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get length(): number {
    return this.#held.size;
  }

  /** Keeps a message whose sender doesn't wait. @throws EasySocketError KNSOCK_QUEUE_FULL */
  add(bytes: Uint8Array): void {
    this.#keep({ bytes, sent: undefined, failed: undefined });
  }

  /** Keeps a message until there is room; aborting takes it back unsent. */
  wait(bytes: Uint8Array, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const aborted = (): void => {
        this.#remove(held);
        reject(signal?.reason as Error);
      };
      const held: Held = {
        bytes,
        sent: () => {
          signal?.removeEventListener('abort', aborted);
          resolve();
        },
        failed: (error) => {
          signal?.removeEventListener('abort', aborted);
          reject(error);
        },
      };
      this.#keep(held);
      signal?.addEventListener('abort', aborted, { once: true });
    });
  }

  /** Gives up the oldest message for sending. */
  shift(): Held | undefined {
    for (const held of this.#held) {
      this.#remove(held);
      return held;
    }
    return undefined;
  }

  failAll(error: Error): void {
    for (const held of [...this.#held]) {
      this.#remove(held);
      held.failed?.(error);
    }
  }

  #keep(held: Held): void {
    const total = this.#bytes + held.bytes.length;
    // A message by itself always fits: how large one may be is another limit's business.
    if (total > this.#maxBytes && this.#held.size > 0) {
      throw new EasySocketError(
        'KNSOCK_QUEUE_FULL',
        `the peer reads slowly: ${this.#bytes} bytes wait for it, and ${held.bytes.length} more are over the limit of ${this.#maxBytes}`,
      );
    }
    this.#held.add(held);
    this.#bytes = total;
  }

  #remove(held: Held): void {
    if (this.#held.delete(held)) this.#bytes -= held.bytes.length;
  }
}
