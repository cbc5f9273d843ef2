import type { Buffer } from 'node:buffer';
import { MessageTooLargeError, ProtocolError, TruncatedMessageError } from '../errors/index.js';
import { refuseOptions } from '../options/index.js';
import { ByteQueue } from './byte-queue.js';
import type { Decoder, Framing, FramingLimits, MessageSink, Output } from './framing.js';
import { viewOf } from './view.js';

const LF = 0x0a;
const CR = 0x0d;

/**
 * One message per line. LF ends a line and one CR before it is stripped; neither counts towards `maxMessageBytes`.
 * Sending refuses what would come out otherwise than it went in: a payload that contains LF or ends in CR.
 */
export function lines(...options: []): Framing {
  refuseOptions(options);
  return { name: 'lines', decoder: (limits) => new LineDecoder(limits), encode };
}

function encode(payload: Uint8Array, out: Output): void {
  refuseLineEnds(payload);
  out.append(payload);
  const at = out.reserve(1);
  out.buffer[at] = LF;
}

function refuseLineEnds(payload: Uint8Array): void {
  const at = payload.indexOf(LF);
  if (at >= 0) {
    throw new ProtocolError(`a line can't contain LF, and this payload has one at byte ${at}`, {
      hint: 'Send each line as a message of its own, or use lengthPrefixed().',
    });
  }
  if (payload.length > 0 && payload[payload.length - 1] === CR) {
    throw new ProtocolError("a line can't end in CR: the receiver takes it for a part of the line's end", {
      hint: 'Leave the CR out; a peer that insists on CR LF needs raw().',
    });
  }
}

class LineDecoder implements Decoder {
  readonly #limit: number;
  readonly #held = new ByteQueue();

  constructor(limits: FramingLimits) {
    this.#limit = limits.maxMessageBytes;
  }

  lend(): void {
    this.#held.reuse();
  }

  push(chunk: Buffer, sink: MessageSink): void {
    let at = 0;
    if (this.#held.length > 0) {
      at = this.#finish(chunk, sink);
      if (at < 0) return;
    }
    const { buffer: memory, byteOffset } = chunk;
    while (at < chunk.length) {
      const end = chunk.indexOf(LF, at);
      if (end < 0) return this.#hold(chunk, at, chunk.length);
      sink.message(viewOf(memory, byteOffset + at, this.#sizeOf(chunk, at, end)));
      at = end + 1;
    }
  }

  end(): void {
    if (this.#held.length === 0) return;
    throw new TruncatedMessageError(
      `the connection ended ${this.#held.length} bytes into a line, before the LF that ends it`,
    );
  }

  /** Ends the line that an earlier chunk began; returns where the next begins, or -1 where it goes on. */
  #finish(chunk: Buffer, sink: MessageSink): number {
    const end = chunk.indexOf(LF);
    if (end < 0) {
      this.#hold(chunk, 0, chunk.length);
      return -1;
    }
    this.#hold(chunk, 0, end);
    const held = this.#held.take();
    sink.message(held.subarray(0, this.#sizeOf(held, 0, held.length)));
    return end + 1;
  }

  /** The bytes of a line without what ends it. */
  #sizeOf(bytes: Buffer, from: number, lineEnd: number): number {
    const end = lineEnd > from && bytes[lineEnd - 1] === CR ? lineEnd - 1 : lineEnd;
    if (end - from > this.#limit) throw new MessageTooLargeError(end - from, this.#limit);
    return end - from;
  }

  /** Keeps a part of a line, unless the line is too long already. One CR more may turn out to belong to its end. */
  #hold(chunk: Buffer, from: number, to: number): void {
    const size = this.#held.length + (to - from);
    if (size > this.#limit) {
      const spare = size === this.#limit + 1 && (to === from || chunk[to - 1] === CR);
      if (!spare) throw new MessageTooLargeError(size, this.#limit);
    }
    this.#held.append(chunk, from, to);
  }
}
