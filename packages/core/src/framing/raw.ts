import { Buffer } from 'node:buffer';
import { InvalidOptionError } from '../errors/index.js';
import { flag, readAllOptions, text, withDefault, type OptionReaders } from '../options/index.js';
import type { Decoder, Framing, FramingLimits, MessageSink, Output } from './framing.js';

/** Options of `raw`. */
export interface RawOptions {
  /** The ALPN protocol that both sides demand, such as `'http/1.1'`; absent: none is sent. */
  alpn?: string | undefined;
  /** Accepts a peer that does no ALPN at all too, and never one that offers only others; default false. */
  alpnOptional?: boolean | undefined;
}

/** How each of them is read, and its default. */
export const rawOptions = {
  alpn: text,
  alpnOptional: withDefault(flag, false),
} as const satisfies OptionReaders<RawOptions>;

/** RFC 7301, section 3.1. */
const LONGEST_ALPN = 255;

/**
 * No framing at all: bytes go out as they are, and every piece that arrives is a message.
 * Where one message ends and the next begins is lost on the way; a piece larger than `maxMessageBytes` comes as several.
 * @throws InvalidOptionError
 */
export function raw(options: RawOptions = {}): Framing {
  const { alpn, alpnOptional } = readAllOptions(options, rawOptions);
  if (alpn !== undefined && Buffer.byteLength(alpn) > LONGEST_ALPN)
    throw new InvalidOptionError(
      'alpn',
      `alpn has ${Buffer.byteLength(alpn)} bytes; TLS carries ${LONGEST_ALPN}`,
    );
  return {
    name: 'raw',
    ...(alpn !== undefined && { alpn, alpnOptional }),
    decoder: (limits) => new RawDecoder(limits),
    encode: (payload: Uint8Array, out: Output) => out.append(payload),
  };
}

class RawDecoder implements Decoder {
  readonly #limit: number;

  constructor(limits: FramingLimits) {
    this.#limit = Math.max(1, limits.maxMessageBytes);
  }

  lend(): void {}

  push(chunk: Buffer, sink: MessageSink): void {
    if (chunk.length <= this.#limit) {
      if (chunk.length > 0) sink.message(chunk);
      return;
    }
    for (let at = 0; at < chunk.length; at += this.#limit) sink.message(chunk.subarray(at, at + this.#limit));
  }

  end(): void {}
}
