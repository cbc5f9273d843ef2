/**
 * Gathers what a connection sends into one write per turn of the event loop, however many messages that is.
 *
 * Rules
 * - Small payloads are copied into a slab and go out together; a payload over LARGEST_COPY goes out from where it is.
 * - The flush comes after the turn's promises too (nextTick runs behind them), or at once at the end of a batch of input.
 */
import type { Output } from '../framing/framing.js';
import type { ByteStream } from '../transport/byte-stream.js';
import { borrowSlab, LARGEST_COPY, LARGEST_SLAB, levelFor, returnSlab, type SlabLevel } from './slab-pool.js';

const NOTHING = Buffer.alloc(0);
/** Below this, a loop beats the call into `TypedArray.prototype.set`. */
const LOOP_COPY = 40;

export class Writer implements Output {
  buffer: Buffer = NOTHING;
  readonly #stream: ByteStream;
  readonly #flushed: () => void;
  #used = 0;
  #level: SlabLevel = 0;
  #lent: Buffer[] = [];
  #scheduled = false;
  #held = false;

  /** @param flushed called after each write, for whoever watches the queue */
  constructor(stream: ByteStream, flushed: () => void) {
    this.#stream = stream;
    this.#flushed = flushed;
  }

  /** Bytes gathered and not yet written. */
  get gatheredBytes(): number {
    return this.#used;
  }

  reserve(length: number): number {
    if (this.#used + length > this.buffer.length) this.#makeRoom(length);
    const at = this.#used;
    this.#used = at + length;
    return at;
  }

  append(bytes: Uint8Array): void {
    const length = bytes.length;
    if (length > LARGEST_COPY) {
      this.flush();
      this.#stream.write(bytes);
      this.#flushed();
      return;
    }
    if (this.#used + length > this.buffer.length) this.#makeRoom(length);
    const at = this.#used;
    this.#used = at + length;
    if (length > LOOP_COPY) {
      this.buffer.set(bytes, at);
      return;
    }
    const buffer = this.buffer;
    for (let index = 0; index < length; index++) buffer[at + index] = bytes[index] as number;
  }

  /** Says that a message is complete: it goes out with the turn. */
  commit(): void {
    if (this.#scheduled || this.#held) return;
    this.#scheduled = true;
    process.nextTick(flushOf, this);
  }

  /** Takes back what was written since `mark`, after a message that couldn't be encoded. */
  rewind(mark: number): void {
    this.#used = Math.min(this.#used, mark);
  }

  /** While input is being handled, answers gather; `release` sends them. */
  hold(): void {
    this.#held = true;
  }

  release(): void {
    this.#held = false;
    if (this.#used > 0) this.flush();
  }

  flush(): void {
    this.#scheduled = false;
    if (this.#used === 0) return;
    const slab = this.buffer;
    const batch = slab.subarray(0, this.#used);
    this.#level = levelFor(this.#used);
    this.#lent.push(slab);
    this.buffer = NOTHING;
    this.#used = 0;
    this.#stream.write(batch, this.#taken);
    this.#flushed();
  }

  /** Writes complete in order, so the oldest slab lent is the one that comes back. */
  readonly #taken = (): void => {
    const slab = this.#lent.shift();
    if (slab !== undefined) returnSlab(slab);
  };

  #makeRoom(length: number): void {
    if (this.#used + length > LARGEST_SLAB) this.flush();
    const previous = this.buffer;
    const level = levelFor(this.#used + length);
    this.buffer = borrowSlab(level > this.#level ? level : this.#level);
    if (this.#used > 0) this.buffer.set(previous.subarray(0, this.#used));
    if (previous.length > 0) returnSlab(previous);
  }
}

function flushOf(writer: Writer): void {
  writer.flush();
}
