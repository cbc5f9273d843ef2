/**
 * The last words to a peer: write them, end, and read away what it still sends, for at most a second or 8 MiB, then
 * destroy. Ended without reading, the socket stays open; destroyed at once, the reset overtakes the words.
 */
import type { ByteStream } from '../transport/byte-stream.js';

const LONGEST_MS = 1_000;
const MOST_BYTES = 8_388_608;

export class Farewell {
  readonly #stream: ByteStream;
  readonly #timer: NodeJS.Timeout;
  #bytes = 0;

  /** Ends the stream, behind what was written to it. */
  constructor(stream: ByteStream) {
    this.#stream = stream;
    this.#timer = setTimeout(() => {
      stream.destroy();
    }, LONGEST_MS);
    stream.end();
  }

  /** Reads input away. */
  discard(chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes > MOST_BYTES) this.#stream.destroy();
  }

  /** The stream is gone. */
  over(): void {
    clearTimeout(this.#timer);
  }
}
