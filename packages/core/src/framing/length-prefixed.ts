import type { Buffer } from 'node:buffer';
import { InvalidOptionError, MessageTooLargeError, TruncatedMessageError } from '../errors/index.js';
import { readAllOptions, withDefault, word, type OptionReaders, type ReadOptions } from '../options/index.js';
import { FrameAssembler } from './frame-assembler.js';
import type { Decoder, Framing, FramingLimits, MessageSink, Output } from './framing.js';
import { viewOf } from './view.js';

/** How the length before each message is written. */
export interface LengthPrefixedOptions {
  /** The size of the length field in bytes; default 4. */
  bytes?: 1 | 2 | 4 | 8;
  /** Which byte of the length comes first, the most significant (`'big'`, network order) or the least; default `'big'`. */
  endian?: 'big' | 'little';
}

/** How each of them is read, and its default. */
export const lengthPrefixedOptions = {
  bytes: withDefault(parseBytes, 4),
  endian: withDefault(word('big', 'little'), 'big'),
} as const satisfies OptionReaders<LengthPrefixedOptions>;

/**
 * A length, then that many bytes of payload; the length counts the payload alone.
 * @throws InvalidOptionError for any other `bytes` or `endian`, and any other option.
 */
export function lengthPrefixed(options: LengthPrefixedOptions = {}): Framing {
  const format = new LengthFormat(readAllOptions(options, lengthPrefixedOptions));
  return {
    name: 'length-prefixed',
    decoder: (limits) => new LengthPrefixedDecoder(format, limits),
    encode: (payload: Uint8Array, out: Output) => {
      if (payload.length > format.largest) throw new MessageTooLargeError(payload.length, format.largest);
      const at = out.reserve(format.bytes);
      format.write(out.buffer, at, payload.length);
      out.append(payload);
    },
  };
}

type LengthBytes = 1 | 2 | 4 | 8;

function parseBytes(option: string, value: LengthBytes | undefined): LengthBytes | undefined {
  if (value === undefined || [1, 2, 4, 8].includes(value)) return value;
  throw new InvalidOptionError(option, `bytes must be 1, 2, 4 or 8, not ${String(value)}`);
}

const U32 = 2 ** 32;

class LengthFormat {
  readonly bytes: number;
  /** The largest length that can be written. */
  readonly largest: number;
  readonly #little: boolean;

  constructor({ bytes, endian }: ReadOptions<typeof lengthPrefixedOptions>) {
    this.bytes = bytes;
    this.largest = Math.min(256 ** bytes - 1, Number.MAX_SAFE_INTEGER);
    this.#little = endian === 'little';
  }

  // A length over 2^53 comes out rounded, and is far over any limit either way.
  read(source: Buffer, at: number): number {
    // Integers cost less than doubles, and most lengths are four bytes long.
    const first = this.#word(source, at, Math.min(this.bytes, 4));
    if (this.bytes < 8) return first;
    const second = this.#word(source, at + 4, 4);
    return this.#little ? second * U32 + first : first * U32 + second;
  }

  write(target: Buffer, at: number, length: number): void {
    const last = this.bytes - 1;
    let rest = length >>> 0;
    for (let i = 0; i <= last; i++) {
      if (i === 4) rest = Math.floor(length / U32);
      target[this.#little ? at + i : at + last - i] = rest;
      rest >>>= 8;
    }
  }

  #word(source: Buffer, at: number, bytes: number): number {
    let word = 0;
    if (this.#little) for (let i = at + bytes - 1; i >= at; i--) word = (word << 8) | source[i]!;
    else for (let i = at; i < at + bytes; i++) word = (word << 8) | source[i]!;
    return word >>> 0;
  }
}

class LengthPrefixedDecoder implements Decoder {
  readonly #format: LengthFormat;
  readonly #limit: number;
  /** Made for the first message that comes in pieces: many connections never need it. */
  #partial: FrameAssembler | null = null;
  #lends = false;

  constructor(format: LengthFormat, limits: FramingLimits) {
    this.#format = format;
    this.#limit = limits.maxMessageBytes;
  }

  get copiesNext(): number {
    return this.#partial?.lacking ?? 0;
  }

  lend(): void {
    this.#lends = true;
    this.#partial?.reuse();
  }

  push(chunk: Buffer, sink: MessageSink): void {
    const format = this.#format;
    let at = this.#partial?.begun === true ? this.#assemble(chunk, 0, sink) : 0;
    const { buffer: memory, byteOffset } = chunk;
    let from = at + format.bytes;
    while (from <= chunk.length) {
      const size = format.read(chunk, at);
      if (size > this.#limit) throw new MessageTooLargeError(size, this.#limit);
      const to = from + size;
      if (to > chunk.length) break;
      sink.message(viewOf(memory, byteOffset + from, size));
      at = to;
      from = at + format.bytes;
    }
    if (at < chunk.length) this.#assemble(chunk, at, sink);
  }

  end(): void {
    const partial = this.#partial;
    if (partial?.begun !== true) return;
    throw new TruncatedMessageError(
      `the connection ended ${partial.received} bytes into a message and its length`,
    );
  }

  /** Goes on with a message that lies in several chunks; returns the position after what it took. */
  #assemble(chunk: Buffer, from: number, sink: MessageSink): number {
    const partial = (this.#partial ??= new FrameAssembler(this.#format.bytes, this.#lends));
    let at = from;
    if (!partial.bodyExpected) {
      at = partial.fillHeader(chunk, at);
      if (!partial.headerWhole) return at;
      const size = this.#format.read(partial.header, 0);
      if (size > this.#limit) throw new MessageTooLargeError(size, this.#limit);
      partial.expectBody(size);
    }
    at = partial.fillBody(chunk, at);
    if (partial.bodyWhole) sink.message(partial.takeBody());
    return at;
  }
}
