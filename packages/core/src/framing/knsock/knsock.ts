import type { Buffer } from 'node:buffer';
import { ProtocolError } from '../../errors/index.js';
import { refuseOptions } from '../../options/index.js';
import type { Decoder, Framing, FramingLimits, MessageSink } from '../framing.js';
import { encodeFrame } from './encode.js';
import { FrameDecoder, type FrameSink } from './frame-decoder.js';
import { Kind, kindName } from './kinds.js';

/** Marks a framing whose connections exchange knsock/1 frames, whichever copy of the library made it. */
export const knsockBrand = Symbol.for('knsock.framing.knsock');

/**
 * The framing between two knsock programs (docs/wire-format.md): messages, multiplexed requests both ways,
 * typed refusals, heartbeats and a provable end. Both sides demand the ALPN protocol `knsock/1`.
 */
export function knsock(...options: []): Framing {
  refuseOptions(options);
  const framing: Framing & { [knsockBrand]: true } = {
    name: 'knsock',
    alpn: 'knsock/1',
    [knsockBrand]: true,
    decoder: (limits) => new MessageFrameDecoder(limits),
    encode: (payload, out) => encodeFrame(Kind.MESSAGE, 0, payload, out),
  };
  return framing;
}

/** Whether a framing is `knsock()`, or wraps it as `json(knsock())` does. */
export function isKnsock(framing: object): boolean {
  return (framing as { [knsockBrand]?: unknown })[knsockBrand] === true;
}

// Connections read frames with a FrameDecoder; this one is for callers that have nothing but messages, a file for example.
class MessageFrameDecoder implements Decoder, FrameSink {
  readonly #frames: FrameDecoder;
  #sink: MessageSink | undefined;

  constructor(limits: FramingLimits) {
    this.#frames = new FrameDecoder(limits);
  }

  lend(): void {
    this.#frames.lend();
  }

  push(chunk: Buffer, sink: MessageSink): void {
    this.#sink = sink;
    this.#frames.push(chunk, this);
  }

  end(): void {
    this.#frames.end();
  }

  frame(kind: number, _id: number, body: Buffer): void {
    if (kind !== Kind.MESSAGE) throw new ProtocolError(`${kindName(kind)} has no place among plain messages`);
    this.#sink?.message(body);
  }
}
