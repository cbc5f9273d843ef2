import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import type { Decoder, Framing, MessageSink } from '../framing/index.js';
import { encodeAll, MemoryOutput } from './memory-output.js';
import { Random } from './random.js';

/** What of a framing the rules are about: its bytes, and not what a program makes of them. */
export type AnyFraming = Pick<Framing, 'name' | 'alpn' | 'decoder' | 'encode'>;

/** A limit that no message of the suite comes near. */
const ROOMY = 1 << 20;

/** The framing under test, with the payloads that it can carry. */
export class FramingSubject {
  readonly framing: AnyFraming;
  readonly keepsBoundaries: boolean;
  /** What was tried in vain, with the errors. */
  readonly refused: { payload: Buffer; error: unknown; written: number }[] = [];
  readonly payloads: Buffer[] = [];

  constructor(
    framing: AnyFraming,
    options: { boundaries?: 'kept' | 'lost'; payloads?: readonly Uint8Array[] },
  ) {
    this.framing = framing;
    this.keepsBoundaries = options.boundaries !== 'lost';
    for (const payload of [...usualPayloads(), ...(options.payloads ?? [])]) this.#sort(Buffer.from(payload));
  }

  /** The bytes of a message of `size` times "a"; undefined where the framing refuses to carry it. */
  messageOf(size: number): Buffer | undefined {
    try {
      return encodeAll(this.framing, [Buffer.alloc(size, 'a')]);
    } catch {
      return undefined;
    }
  }

  /** Asserts that what was delivered is what was sent. */
  same(delivered: readonly Buffer[], sent: readonly Buffer[], how: string): void {
    if (this.keepsBoundaries) assert.deepEqual(delivered.map(hex), sent.map(hex), `messages differ ${how}`);
    else assert.equal(hex(Buffer.concat(delivered)), hex(Buffer.concat(sent)), `bytes differ ${how}`);
  }

  #sort(payload: Buffer): void {
    const out = new MemoryOutput();
    try {
      this.framing.encode(payload, out);
      this.payloads.push(payload);
    } catch (error) {
      this.refused.push({ payload, error, written: out.length });
    }
  }
}

/** A decoder with everything it has delivered. */
export class Collector implements MessageSink {
  readonly messages: Buffer[] = [];
  readonly #decoder: Decoder;

  constructor(framing: AnyFraming, maxMessageBytes = ROOMY) {
    this.#decoder = framing.decoder({ maxMessageBytes });
  }

  get copiesNext(): number {
    return this.#decoder.copiesNext ?? 0;
  }

  push(chunk: Buffer): void {
    this.#decoder.push(chunk, this);
  }

  end(): void {
    this.#decoder.end(this);
  }

  message(payload: Buffer): void {
    this.messages.push(payload);
  }
}

/** What a new decoder makes of some chunks, and the end after them. */
export function decode(framing: AnyFraming, chunks: readonly Buffer[], maxMessageBytes?: number): Buffer[] {
  const collector = new Collector(framing, maxMessageBytes);
  for (const chunk of chunks) collector.push(chunk);
  collector.end();
  return collector.messages;
}

export function hex(bytes: Buffer): string {
  return bytes.toString('hex');
}

function usualPayloads(): Buffer[] {
  const random = new Random(1);
  const single = [0x00, 0x01, 0x0a, 0x0d, 0x20, 0x30, 0x7e, 0x7f, 0x80, 0xc0, 0xdb, 0xff].map((byte) =>
    Buffer.of(byte),
  );
  const texts = ['hello', 'a\r\nb', '\r', 'grüße 🦊', '{"a":[1,2]}', '--boundary--', ' '].map((text) =>
    Buffer.from(text),
  );
  const sizes = [2, 3, 7, 127, 128, 255, 256, 300].map((size) => random.bytes(size));
  const runs = [0x00, 0x0a, 0x61, 0xff].map((byte) => Buffer.alloc(40, byte));
  return [Buffer.alloc(0), ...single, ...texts, ...sizes, ...runs];
}
