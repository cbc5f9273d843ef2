import { Buffer } from 'node:buffer';
import { ByteQueue } from './byte-queue.js';

/**
 * Puts together the one frame that doesn't lie inside a single chunk: a header of fixed size, then a body
 * of the size that the header says. Whole frames never come here; decoders read those where they are.
 *
 * The order of calls is `fillHeader` until it is whole, `expectBody` once, `fillBody` until that is whole, `takeBody`.
 */
export class FrameAssembler {
  /** The header's memory; meaningful once `headerWhole`, until the body is taken. */
  readonly header: Buffer;
  readonly #body = new ByteQueue();
  #headerLength = 0;
  #bodySize = -1;

  /** @param reuses whether `reuse` holds from the beginning */
  constructor(headerBytes: number, reuses = false) {
    this.header = Buffer.alloc(headerBytes);
    if (reuses) this.reuse();
  }

  /** From now on what `takeBody` returns is valid only until the next call. */
  reuse(): void {
    this.#body.reuse();
  }

  /** Whether a frame has begun. */
  get begun(): boolean {
    return this.#headerLength > 0;
  }

  get headerWhole(): boolean {
    return this.#headerLength === this.header.length;
  }

  get bodyExpected(): boolean {
    return this.#bodySize >= 0;
  }

  get bodyWhole(): boolean {
    return this.#body.length === this.#bodySize;
  }

  /** How many bytes the body lacks; 0 where none is expected. */
  get lacking(): number {
    return this.#bodySize < 0 ? 0 : this.#bodySize - this.#body.length;
  }

  /** How many bytes of the frame are here, for errors. */
  get received(): number {
    return this.#headerLength + this.#body.length;
  }

  /** Takes what the header lacks from `chunk[at…]` and returns the position after it. */
  fillHeader(chunk: Buffer, at: number): number {
    const to = Math.min(chunk.length, at + this.header.length - this.#headerLength);
    chunk.copy(this.header, this.#headerLength, at, to);
    this.#headerLength += to - at;
    return to;
  }

  /** Says how long the body will be; the caller has checked it against the limit. */
  expectBody(size: number): void {
    this.#bodySize = size;
    this.#body.expect(size);
  }

  /** Takes what the body lacks from `chunk[at…]` and returns the position after it. */
  fillBody(chunk: Buffer, at: number): number {
    const to = Math.min(chunk.length, at + this.#bodySize - this.#body.length);
    this.#body.append(chunk, at, to);
    return to;
  }

  /** Hands over the whole body and is ready for the next frame. */
  takeBody(): Buffer {
    this.#headerLength = 0;
    this.#bodySize = -1;
    return this.#body.take();
  }
}
