import type { Buffer } from 'node:buffer';
import { refuseOptions } from '../options/index.js';
import type { Decoder, Framing, FramingLimits, MessageSink, Output } from './framing.js';

/**
 * No framing at all: bytes go out as they are, and every piece that arrives is a message.
 * Where one message ends and the next begins is lost on the way; a piece larger than `maxMessageBytes` comes as several.
 */
export function raw(...options: []): Framing {
  refuseOptions(options);
  return {
    name: 'raw',
    decoder: (limits) => new RawDecoder(limits),
    encode: (payload: Uint8Array, out: Output) => out.append(payload),
  };
}

class RawDecoder implements Decoder {
  readonly #limit: number;

  constructor(limits: FramingLimits) {
    this.#limit = Math.max(1, limits.maxMessageBytes);
  }

  push(chunk: Buffer, sink: MessageSink): void {
    if (chunk.length <= this.#limit) {
      if (chunk.length > 0) sink.message(chunk);
      return;
    }
    for (let at = 0; at < chunk.length; at += this.#limit) sink.message(chunk.subarray(at, at + this.#limit));
  }

  end(): void {}
}
