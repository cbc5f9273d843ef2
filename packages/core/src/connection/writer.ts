/**
 * Gathers what a connection sends into one write per turn of the event loop, however many messages that is.
 *
 * Rules
 * - Small payloads are copied into a slab and go out together; a payload over LARGEST_COPY is sent without a copy.
 * - The flush comes after the turn's promises too (nextTick runs behind them), or at once at the end of a batch of input.
 */
import type { Output } from '../framing/framing.js';
import type { ByteStream } from '../transport/byte-stream.js';
import { borrowSlab, LARGEST_COPY, LARGEST_SLAB, levelFor, type Slab, type SlabLevel } from './slab-pool.js';

const NOTHING = Buffer.alloc(0);
/** Below this, a loop beats the call into `TypedArray.prototype.set`. */
const LOOP_COPY = 40;

/** What a writer reports to the queue above it. */
export interface WriterEvents {
  /** Something was written to the stream. */
  written(): void;
}

export class Writer implements Output {
  buffer: Buffer = NOTHING;
  readonly #stream: ByteStream;
  readonly #events: WriterEvents;
  #slab: Slab | null = null;
  #used = 0;
  #level: SlabLevel = 0;
  #scheduled = false;
  #held = false;

  constructor(stream: ByteStream, events: WriterEvents) {
    this.#stream = stream;
    this.#events = events;
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
      this.#events.written();
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

  /** Marks a message as complete: it goes out at the end of the turn. */
  commit(): void {
    if (this.#scheduled || this.#held) return;
    this.#scheduled = true;
    process.nextTick(flushOf, this);
  }

  /** Removes what was written since `mark`, after a message that couldn't be encoded. */
  rewind(mark: number): void {
    this.#used = Math.min(this.#used, mark);
  }

  /** While input is being handled, answers are gathered; `release` sends them. */
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
    const { memory, giveBack } = this.#slab as Slab;
    const batch = memory.subarray(0, this.#used);
    this.#level = levelFor(this.#used);
    this.#slab = null;
    this.buffer = NOTHING;
    this.#used = 0;
    this.#stream.write(batch, giveBack);
    this.#events.written();
  }

  #makeRoom(length: number): void {
    if (this.#used + length > LARGEST_SLAB) this.flush();
    const previous = this.#slab;
    const level = levelFor(this.#used + length);
    this.#slab = borrowSlab(level > this.#level ? level : this.#level);
    this.buffer = this.#slab.memory;
    if (previous === null) return;
    this.buffer.set(previous.memory.subarray(0, this.#used));
    previous.giveBack();
  }
}

function flushOf(writer: Writer): void {
  writer.flush();
}
