import { malformed } from '../encryption/problem.js';

/** Reads parts of known lengths, one after the other. */
export class ByteReader {
  readonly #bytes: Buffer;
  readonly #cutShort: string;
  #at = 0;

  /** @param cutShort what is said of a file that ends too early, as the end of a sentence */
  constructor(bytes: Buffer, cutShort: string) {
    this.#bytes = bytes;
    this.#cutShort = cutShort;
  }

  /** @throws FileProblem 'malformed' where there isn't so much left */
  fixed(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw malformed(this.#cutShort);
    const part = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return part;
  }

  /** Four bytes, the largest first. */
  number(): number {
    return this.fixed(4).readUInt32BE();
  }
}
