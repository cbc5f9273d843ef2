import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { MessageTooLargeError, ProtocolError, TruncatedMessageError } from '../errors/index.js';
import type { Decoder, Framing } from '../framing/index.js';
import { collectGarbage } from './collect-garbage.js';
import { encodeAll, MemoryOutput } from './memory-output.js';
import { Random } from './random.js';

/** What the suite can't find out by itself. */
export interface FramingComplianceOptions {
  /** `'kept'`: every message arrives as it was sent; `'lost'`: only their bytes do, as with `raw()`. Default `'kept'`. */
  boundaries?: 'kept' | 'lost';
  /** More payloads to try, such as those that this framing must escape. */
  payloads?: readonly Uint8Array[];
}

/** One rule of `Framing`; `check` throws where the framing breaks it. */
export interface FramingRule {
  /** A sentence that makes a test's name. */
  readonly name: string;
  readonly check: () => void;
}

type AnyFraming = Pick<Framing, 'name' | 'alpn' | 'decoder' | 'encode'>;

/**
 * The rules that every framing keeps, to be run by any test runner:
 * `for (const rule of framingRules(mine())) it(rule.name, rule.check);`
 * They are deterministic, need no network and take about a second.
 */
export function framingRules(framing: AnyFraming, options: FramingComplianceOptions = {}): FramingRule[] {
  const subject = new Subject(framing, options);
  return [
    { name: 'has a name, and no empty ALPN protocol', check: () => hasName(framing) },
    {
      name: 'returns messages unchanged, however their bytes are cut',
      check: () => returnsMessages(subject),
    },
    { name: 'keeps connections apart', check: () => keepsConnectionsApart(subject) },
    { name: 'never writes to payloads, chunks or delivered messages', check: () => writesToNothing(subject) },
    {
      name: 'refuses what it cannot express before writing any of it',
      check: () => refusesBeforeWriting(subject),
    },
    { name: 'delivers messages up to the limit and nothing above', check: () => keepsTheLimit(subject) },
    {
      name: 'tells an end inside a message from an end between two',
      check: () => noticesTruncation(subject),
    },
    { name: 'answers any bytes with messages or a ProtocolError', check: () => survivesGarbage(subject) },
    { name: 'spends no memory on lengths that are only announced', check: () => distrustsLengths(subject) },
    { name: 'holds on to no chunk for a few bytes of it', check: () => letsChunksGo(subject) },
  ];
}

/**
 * Runs all of `framingRules`.
 * @throws AssertionError for the first rule broken; its message begins with the rule.
 */
export function checkFraming(framing: AnyFraming, options?: FramingComplianceOptions): void {
  for (const rule of framingRules(framing, options)) {
    try {
      rule.check();
    } catch (error) {
      if (error instanceof Error)
        error.message = `${framing.name} breaks a rule (${rule.name}): ${error.message}`;
      throw error;
    }
  }
}

const ROOMY = { maxMessageBytes: 1 << 20 };
const MIB = 1 << 20;

/** The framing under test, with the payloads that it can carry. */
class Subject {
  readonly framing: AnyFraming;
  readonly keepsBoundaries: boolean;
  /** What was tried in vain, with the errors. */
  readonly refused: { payload: Buffer; error: unknown; written: number }[] = [];
  readonly payloads: Buffer[] = [];

  constructor(framing: AnyFraming, options: FramingComplianceOptions) {
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

function hasName(framing: AnyFraming): void {
  assert.ok(typeof framing.name === 'string' && framing.name.length > 0, 'name must be a non-empty string');
  if (framing.alpn === undefined) return;
  const length = Buffer.byteLength(framing.alpn);
  assert.ok(length >= 1 && length <= 255, `alpn must have 1 to 255 bytes, not ${length}`);
}

function returnsMessages(subject: Subject): void {
  const { framing, payloads } = subject;
  assert.ok(payloads.length > 0, 'encode refuses every payload');
  const bytes = encodeAll(framing, payloads);
  const bytewise = [...bytes].map((byte) => Buffer.of(byte));
  subject.same(decode(framing, [bytes]), payloads, 'in one chunk');
  subject.same(decode(framing, bytewise), payloads, 'one byte at a time');
  subject.same(
    decode(framing, [Buffer.alloc(0), bytes, Buffer.alloc(0)]),
    payloads,
    'with empty chunks around',
  );
  for (let at = 1; at < bytes.length; at++) {
    subject.same(decode(framing, [bytes.subarray(0, at), bytes.subarray(at)]), payloads, `cut at byte ${at}`);
  }
  const random = new Random(2);
  for (let round = 0; round < 100; round++) {
    const some = Array.from({ length: random.below(12) }, () => payloads[random.below(payloads.length)]!);
    const chunks = random.cut(encodeAll(framing, some), 1 + random.below(50));
    subject.same(decode(framing, chunks), some, `in random chunks (round ${round})`);
  }
}

function keepsConnectionsApart(subject: Subject): void {
  const { framing, payloads } = subject;
  const backwards = payloads.toReversed();
  const one = new Collector(framing.decoder(ROOMY));
  const other = new Collector(framing.decoder(ROOMY));
  const bytes = encodeAll(framing, payloads);
  const otherBytes = encodeAll(framing, backwards);
  for (let at = 0; at < Math.max(bytes.length, otherBytes.length); at += 3) {
    one.push(bytes.subarray(at, at + 3));
    other.push(otherBytes.subarray(at, at + 3));
  }
  subject.same(one.messages, payloads, 'on one of two connections');
  subject.same(other.messages, backwards, 'on the other of two connections');
}

function writesToNothing(subject: Subject): void {
  const { framing, payloads } = subject;
  const before = payloads.map(hex);
  const bytes = encodeAll(framing, payloads);
  assert.deepEqual(payloads.map(hex), before, 'encode changed a payload');
  for (const size of [1, 5, 64, bytes.length]) {
    const chunks = new Random(3).cut(bytes, size);
    const copies = chunks.map(hex);
    const collector = new Collector(framing.decoder(ROOMY));
    const atDelivery: string[] = [];
    for (const chunk of chunks) {
      collector.push(chunk);
      for (const message of collector.messages.slice(atDelivery.length)) atDelivery.push(hex(message));
    }
    assert.deepEqual(chunks.map(hex), copies, 'the decoder wrote into a chunk');
    assert.deepEqual(collector.messages.map(hex), atDelivery, 'a message changed after it was delivered');
  }
}

function refusesBeforeWriting(subject: Subject): void {
  for (const { payload, error, written } of subject.refused) {
    const which = `the payload ${hex(payload.subarray(0, 40))}`;
    assert.ok(
      error instanceof ProtocolError,
      `encode must refuse ${which} with a ProtocolError, not ${String(error)}`,
    );
    assert.equal(written, 0, `encode wrote ${written} bytes before it refused ${which}`);
  }
}

function keepsTheLimit(subject: Subject): void {
  for (const limit of [1, 10, 100, 1000, 70_000]) {
    const fits = subject.messageOf(limit);
    const tooLarge = subject.messageOf(limit + 1);
    for (const size of [1, 1000, Infinity]) {
      if (fits) {
        const delivered = decode(subject.framing, new Random(4).cut(fits, size), limit);
        subject.same(delivered, [Buffer.alloc(limit, 'a')], `at the limit of ${limit}`);
      }
      if (tooLarge) refusesTooLarge(subject, new Random(5).cut(tooLarge, size), limit);
    }
  }
}

function refusesTooLarge(subject: Subject, chunks: Buffer[], limit: number): void {
  const collector = new Collector(subject.framing.decoder({ maxMessageBytes: limit }));
  const run = () => chunks.forEach((chunk) => collector.push(chunk));
  const what = `a message of ${limit + 1} bytes where ${limit} are allowed`;
  if (subject.keepsBoundaries) {
    assert.throws(
      run,
      (error) => error instanceof MessageTooLargeError,
      `MessageTooLargeError is due for ${what}`,
    );
  } else run();
  for (const message of collector.messages) {
    assert.ok(message.length <= limit, `delivered ${message.length} bytes of ${what}`);
  }
}

function noticesTruncation(subject: Subject): void {
  const { framing, payloads } = subject;
  if (!subject.keepsBoundaries) return;
  for (const payload of payloads) {
    const bytes = encodeAll(framing, [payload]);
    for (let at = 0; at < bytes.length; at++) {
      const collector = new Collector(framing.decoder(ROOMY));
      collector.push(bytes.subarray(0, at));
      const how = `after ${at} of ${bytes.length} bytes`;
      if (at === 0) collector.end();
      else if (collector.messages.length > 0) subject.same(collector.messages, [payload], how);
      else assert.throws(() => collector.end(), isTruncated, `TruncatedMessageError is due ${how}`);
      assert.ok(
        collector.messages.every((message) => hex(message) === hex(payload)),
        `half a message came ${how}`,
      );
    }
  }
}

function survivesGarbage(subject: Subject): void {
  const { framing, payloads } = subject;
  const random = new Random(6);
  const valid = encodeAll(framing, payloads);
  for (let round = 0; round < 1000; round++) {
    const garbage = round % 2 === 0 ? random.bytes(random.below(400)) : random.damage(valid);
    const collector = new Collector(framing.decoder({ maxMessageBytes: 200 }));
    try {
      for (const chunk of random.cut(garbage, 1 + random.below(100))) collector.push(chunk);
      collector.end();
    } catch (error) {
      const bytes = hex(garbage.subarray(0, 40));
      assert.ok(
        error instanceof ProtocolError,
        `bytes ${bytes}… must give a ProtocolError, not ${String(error)}`,
      );
    }
    const largest = Math.max(0, ...collector.messages.map((message) => message.length));
    assert.ok(largest <= 200, `delivered ${largest} bytes where 200 are allowed`);
  }
}

// 32 decoders that believed the length would take 512 MiB.
function distrustsLengths(subject: Subject): void {
  const start = subject.messageOf(16 * MIB)?.subarray(0, 64);
  if (start === undefined) return;
  const before = process.memoryUsage().arrayBuffers;
  const decoders = Array.from({ length: 32 }, () => {
    const collector = new Collector(subject.framing.decoder({ maxMessageBytes: 16 * MIB }));
    collector.push(start);
    return collector;
  });
  const each = (process.memoryUsage().arrayBuffers - before) / decoders.length;
  assert.ok(each <= MIB, `64 bytes of a message of 16 MiB cost ${Math.round(each / 1024)} KiB of memory`);
}

// Every byte comes in a chunk of 64 KiB; holding on to those would take 64 MiB.
function letsChunksGo(subject: Subject): void {
  const start = subject.messageOf(65_000)?.subarray(0, 64) ?? Buffer.alloc(0);
  if (!subject.keepsBoundaries || !collectGarbage()) return;
  const before = process.memoryUsage().arrayBuffers;
  const decoders = Array.from({ length: 16 }, () => new Collector(subject.framing.decoder(ROOMY)));
  for (const byte of start)
    for (const decoder of decoders) decoder.push(Buffer.alloc(65_536, byte).subarray(0, 1));
  collectGarbage();
  const each = (process.memoryUsage().arrayBuffers - before) / decoders.length;
  assert.ok(
    each <= MIB,
    `${start.length} bytes, each in a chunk of its own, keep ${Math.round(each / 1024)} KiB`,
  );
}

/** A decoder with everything it has delivered. */
class Collector {
  readonly messages: Buffer[] = [];
  readonly #decoder: Decoder;

  constructor(decoder: Decoder) {
    this.#decoder = decoder;
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

function decode(framing: AnyFraming, chunks: readonly Buffer[], limit = ROOMY.maxMessageBytes): Buffer[] {
  const collector = new Collector(framing.decoder({ maxMessageBytes: limit }));
  for (const chunk of chunks) collector.push(chunk);
  collector.end();
  return collector.messages;
}

function isTruncated(error: unknown): boolean {
  return error instanceof TruncatedMessageError;
}

function hex(bytes: Buffer): string {
  return bytes.toString('hex');
}
