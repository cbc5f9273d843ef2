import { Buffer } from 'node:buffer';
import { allocate } from './warm-memory.js';

/** Up to here announced bytes are allocated at once; beyond, memory follows the bytes that really came. */
export const EAGER_BYTES = 256 * 1024;

const SMALLEST_BLOCK = 256;
const NOTHING = Buffer.alloc(0);

/**
 * Gathers bytes that come in pieces into one block of memory; decoders keep unfinished messages in it.
 * Check the limit before you call it: it takes what it is given.
 *
 * Blocks are never taken from Node's shared pool: what a connection receives shares memory with no other.
 */
export class ByteQueue {
  #block: Buffer = NOTHING;
  #length = 0;
  #expected = Infinity;
  /** Whether memory is used again: what `take` returned is valid until the next call only. */
  #reuses = false;
  /** Whether this block was made to be used again. */
  #isOwn = false;

  /** How many bytes are held. */
  get length(): number {
    return this.#length;
  }

  /** Prepares for `total` bytes without trusting that they come: at most 256 KiB are allocated now. */
  expect(total: number): void {
    this.#expected = total;
    const size = Math.min(total, EAGER_BYTES);
    if (size > this.#block.length) this.#block = this.#allocate(size);
  }

  /** From now on what `take` returns is valid only until the next call: this queue keeps the memory, and uses it again. */
  reuse(): void {
    this.#reuses = true;
  }

  /** Copies `source[from, to)` behind what is held. */
  append(source: Buffer, from: number, to: number): void {
    const length = this.#length + (to - from);
    if (length > this.#block.length) this.#grow(length);
    source.copy(this.#block, this.#length, from, to);
    this.#length = length;
  }

  /** Hands over everything held; the queue is empty then, and keeps no part of that memory unless it reuses it. */
  take(): Buffer {
    const block = this.#block;
    const taken = this.#length === block.length ? block : block.subarray(0, this.#length);
    if (!this.#isOwn) this.#block = NOTHING;
    this.#length = 0;
    this.#expected = Infinity;
    return taken;
  }

  // Doubling copies each byte about once more in all, and holds at most twice what has come.
  #grow(needed: number): void {
    const doubled = Math.max(this.#block.length * 2, SMALLEST_BLOCK);
    const block = this.#allocate(Math.max(needed, Math.min(doubled, this.#expected)));
    this.#block.copy(block, 0, 0, this.#length);
    this.#block = block;
  }

  /** Memory that is used again may be longer than a message, and then shows what it held before: our own bytes or zeros. */
  #allocate(size: number): Buffer {
    this.#isOwn = this.#reuses;
    return this.#reuses ? Buffer.alloc(size) : allocate(size);
  }
}
