import { Buffer } from 'node:buffer';
import type { Framing, Output } from '../framing/index.js';

/** The most that one call of `reserve` may ask for, as `Output` says. */
const MAX_RESERVED_BYTES = 1024;

/** An `Output` that keeps what is written, for tests of framings. */
export class MemoryOutput implements Output {
  buffer = Buffer.alloc(0);
  readonly #pieces: Uint8Array[] = [];

  // Each header gets memory of its own, so that a framing which clings to an earlier `buffer` is found out.
  reserve(length: number): number {
    if (!Number.isInteger(length) || length < 0 || length > MAX_RESERVED_BYTES) {
      throw new RangeError(`reserve(${length}): a header has 0 to ${MAX_RESERVED_BYTES} bytes`);
    }
    this.buffer = Buffer.alloc(length + 1, 0xee);
    this.#pieces.push(this.buffer.subarray(1));
    return 1;
  }

  append(bytes: Uint8Array): void {
    this.#pieces.push(bytes);
  }

  /** Everything written so far. */
  bytes(): Buffer {
    return Buffer.concat(this.#pieces);
  }

  /** How many bytes were written so far. */
  get length(): number {
    return this.#pieces.reduce((sum, piece) => sum + piece.length, 0);
  }
}

/** The bytes of some messages, one behind the other. */
export function encodeAll(framing: Pick<Framing, 'encode'>, payloads: Iterable<Uint8Array>): Buffer {
  const out = new MemoryOutput();
  for (const payload of payloads) framing.encode(payload, out);
  return out.bytes();
}
