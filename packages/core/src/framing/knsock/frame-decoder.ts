import type { Buffer } from 'node:buffer';
import { TruncatedMessageError } from '../../errors/index.js';
import { FrameAssembler } from '../frame-assembler.js';
import type { FramingLimits } from '../framing.js';
import { viewOf } from '../view.js';
import { checkFrame, HEADER_BYTES, idBytesOf, readId, readU32 } from './kinds.js';

/** Takes decoded frames, in order, within the call that decodes them. */
export interface FrameSink {
  /**
   * @param kind one of `Kind`.
   * @param id the frame's id (GOAWAY: its lastId); 0 for kinds that carry none.
   * @param body the bytes after kind and id; perhaps a view into the chunk.
   */
  frame(kind: number, id: number, body: Buffer): void;
}

/** Turns the bytes of one knsock/1 connection into frames whose kind, size and id are legal. */
export class FrameDecoder {
  /** Whether `stop` was called. */
  stopped = false;
  readonly #limit: number;
  /** Made for the first frame that comes in pieces: many connections never need it. */
  #partial: FrameAssembler | null = null;
  #lends = false;

  constructor(limits: FramingLimits) {
    this.#limit = limits.maxMessageBytes;
  }

  /** Whether the bytes so far end inside a frame. */
  get midFrame(): boolean {
    return this.#partial?.begun === true;
  }

  /** How many of the next bytes are copied out of the chunk that brings them. */
  get copiesNext(): number {
    return this.stopped ? 0 : (this.#partial?.lacking ?? 0);
  }

  /** From now on bodies are used only until `frame` returns, and their memory is used again. */
  lend(): void {
    this.#lends = true;
    this.#partial?.reuse();
  }

  /**
   * Takes the next bytes, handing every frame that is whole now to the sink.
   * @throws ProtocolError or MessageTooLargeError; the decoder is dead then.
   */
  push(chunk: Buffer, sink: FrameSink): void {
    let at = this.midFrame ? this.#assemble(chunk, 0, sink) : 0;
    const { buffer: memory, byteOffset } = chunk;
    while (at + HEADER_BYTES <= chunk.length && !this.stopped) {
      const length = readU32(chunk, at);
      const end = at + 4 + length;
      if (end > chunk.length) break;
      const kind = chunk[at + 4]!;
      checkFrame(kind, length, this.#limit);
      const from = at + HEADER_BYTES;
      const idBytes = idBytesOf(kind);
      const id = idBytes === 0 ? 0 : readId(chunk, from, kind);
      sink.frame(kind, id, viewOf(memory, byteOffset + from + idBytes, end - from - idBytes));
      at = end;
    }
    if (at < chunk.length && !this.stopped) this.#assemble(chunk, at, sink);
  }

  /** Delivers nothing more, from within `frame` too: the rest of the chunk is dropped. */
  stop(): void {
    this.stopped = true;
  }

  /**
   * Says that no more bytes will come.
   * @throws TruncatedMessageError where they ended inside a frame.
   */
  end(): void {
    if (this.stopped || !this.midFrame) return;
    throw new TruncatedMessageError(
      `the connection ended ${this.#partial?.received ?? 0} bytes into a frame`,
    );
  }

  /** Goes on with a frame that lies in several chunks; returns the position after what it took. */
  #assemble(chunk: Buffer, from: number, sink: FrameSink): number {
    if (this.stopped) return chunk.length;
    const partial = (this.#partial ??= new FrameAssembler(HEADER_BYTES, this.#lends));
    let at = from;
    if (!partial.bodyExpected) {
      at = partial.fillHeader(chunk, at);
      if (!partial.headerWhole) return at;
      const length = partial.header.readUInt32BE(0);
      checkFrame(partial.header[4]!, length, this.#limit);
      partial.expectBody(length - 1);
    }
    at = partial.fillBody(chunk, at);
    if (partial.bodyWhole) {
      const kind = partial.header[4]!;
      const body = partial.takeBody();
      const idBytes = idBytesOf(kind);
      if (idBytes === 0) sink.frame(kind, 0, body);
      else sink.frame(kind, readId(body, 0, kind), body.subarray(idBytes));
    }
    return at;
  }
}
