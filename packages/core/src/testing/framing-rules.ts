import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { MessageTooLargeError, ProtocolError, TruncatedMessageError } from '../errors/index.js';
import { collectGarbage } from './collect-garbage.js';
import { Collector, decode, hex, type FramingSubject } from './framing-subject.js';
import { encodeAll } from './memory-output.js';
import { Random } from './random.js';

const MIB = 1 << 20;

export function hasName({ framing }: FramingSubject): void {
  assert.ok(typeof framing.name === 'string' && framing.name.length > 0, 'name must be a non-empty string');
  if (framing.alpn === undefined) return;
  const length = Buffer.byteLength(framing.alpn);
  assert.ok(length >= 1 && length <= 255, `alpn must have 1 to 255 bytes, not ${length}`);
}

export function returnsMessages(subject: FramingSubject): void {
  const { framing, payloads } = subject;
  assert.ok(
    payloads.length > 0,
    `encode refuses every payload, the first by ${String(subject.refused[0]?.error)}`,
  );
  const bytes = encodeAll(framing, payloads);
  const bytewise = [...bytes].map((byte) => Buffer.of(byte));
  subject.same(decode(framing, [bytes]), payloads, 'in one chunk');
  subject.same(decode(framing, bytewise), payloads, 'one byte at a time');
  subject.same(
    decode(framing, [Buffer.alloc(0), bytes, Buffer.alloc(0)]),
    payloads,
    'with empty chunks around',
  );
  for (const [index, payload] of payloads.entries())
    cutsEverywhere(subject, [payload, payloads[index - 1] ?? payload]);
  const random = new Random(2);
  for (let round = 0; round < 100; round++) {
    const some = Array.from({ length: random.below(12) }, () => payloads[random.below(payloads.length)]!);
    const chunks = random.cut(encodeAll(framing, some), 1 + random.below(50));
    subject.same(decode(framing, chunks), some, `in random chunks (round ${round})`);
  }
}

function cutsEverywhere(subject: FramingSubject, pair: Buffer[]): void {
  const bytes = encodeAll(subject.framing, pair);
  for (let at = 1; at < bytes.length; at++) {
    const chunks = [bytes.subarray(0, at), bytes.subarray(at)];
    subject.same(decode(subject.framing, chunks), pair, `cut at byte ${at}`);
  }
}

export function keepsConnectionsApart(subject: FramingSubject): void {
  const { framing, payloads } = subject;
  const backwards = payloads.toReversed();
  const one = new Collector(framing);
  const other = new Collector(framing);
  const bytes = encodeAll(framing, payloads);
  const otherBytes = encodeAll(framing, backwards);
  for (let at = 0; at < Math.max(bytes.length, otherBytes.length); at += 3) {
    one.push(bytes.subarray(at, at + 3));
    other.push(otherBytes.subarray(at, at + 3));
  }
  subject.same(one.messages, payloads, 'on one of two connections');
  subject.same(other.messages, backwards, 'on the other of two connections');
}

export function writesToNothing(subject: FramingSubject): void {
  const { framing, payloads } = subject;
  const before = payloads.map(hex);
  const bytes = encodeAll(framing, payloads);
  assert.deepEqual(payloads.map(hex), before, 'encode changed a payload');
  for (const size of [1, 5, 64, bytes.length]) {
    const chunks = new Random(3).cut(bytes, size);
    const copies = chunks.map(hex);
    const collector = new Collector(framing);
    const atDelivery: string[] = [];
    for (const chunk of chunks) {
      collector.push(chunk);
      for (const message of collector.messages.slice(atDelivery.length)) atDelivery.push(hex(message));
    }
    assert.deepEqual(chunks.map(hex), copies, 'the decoder wrote into a chunk');
    assert.deepEqual(collector.messages.map(hex), atDelivery, 'a message changed after it was delivered');
  }
}

export function copiesWhatItSays(subject: FramingSubject): void {
  const { framing, payloads } = subject;
  const bytes = encodeAll(framing, payloads);
  for (const size of [1, 5, 64, 300]) {
    const collector = new Collector(framing);
    for (const chunk of new Random(6).cut(bytes, size)) pushLent(collector, chunk);
    collector.end();
    subject.same(collector.messages, payloads, 'where memory that copiesNext speaks of is used again');
  }
}

/** As a client's connection does: bytes that are copied anyway come in memory that is used again. */
function pushLent(collector: Collector, chunk: Buffer): void {
  const lent = Buffer.from(chunk.subarray(0, collector.copiesNext));
  collector.push(lent);
  lent.fill(0xee);
  if (lent.length < chunk.length) collector.push(chunk.subarray(lent.length));
}

export function refusesBeforeWriting(subject: FramingSubject): void {
  for (const { payload, error, written } of subject.refused) {
    const which = `the payload ${hex(payload.subarray(0, 40))}`;
    assert.ok(
      error instanceof ProtocolError,
      `encode must refuse ${which} with a ProtocolError, not ${String(error)}`,
    );
    assert.equal(written, 0, `encode wrote ${written} bytes before it refused ${which}`);
  }
}

export function keepsTheLimit(subject: FramingSubject): void {
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

function refusesTooLarge(subject: FramingSubject, chunks: Buffer[], limit: number): void {
  const collector = new Collector(subject.framing, limit);
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

export function noticesTruncation(subject: FramingSubject): void {
  const { framing, payloads } = subject;
  if (!subject.keepsBoundaries) return;
  for (const payload of payloads) {
    const bytes = encodeAll(framing, [payload]);
    for (let at = 0; at < bytes.length; at++) {
      const collector = new Collector(framing);
      collector.push(bytes.subarray(0, at));
      const how = `after ${at} of ${bytes.length} bytes`;
      if (at === 0) collector.end();
      else if (collector.messages.length > 0) subject.same(collector.messages, [payload], how);
      else
        assert.throws(
          () => collector.end(),
          (error) => error instanceof TruncatedMessageError,
          `TruncatedMessageError is due ${how}`,
        );
      assert.ok(
        collector.messages.every((message) => hex(message) === hex(payload)),
        `half a message came ${how}`,
      );
    }
  }
}

export function answersAnyBytes(subject: FramingSubject): void {
  const { framing, payloads } = subject;
  const random = new Random(6);
  const valid = encodeAll(framing, payloads);
  for (let round = 0; round < 1000; round++) {
    const garbage = round % 2 === 0 ? random.bytes(random.below(400)) : random.damage(valid);
    const collector = new Collector(framing, 200);
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

// Eight decoders that believed the length would take 128 MiB. Beside them a process may allocate or free something once:
// that is one of three rounds. What they keep isn't freed between the rounds.
export function distrustsLengths(subject: FramingSubject): void {
  const start = subject.messageOf(16 * MIB)?.subarray(0, 64);
  if (start === undefined) return;
  collectGarbage();
  const decoders: Collector[] = [];
  const costs = Array.from({ length: 3 }, () => {
    const before = process.memoryUsage().arrayBuffers;
    for (let n = 0; n < 8; n += 1) {
      const collector = new Collector(subject.framing, 16 * MIB);
      collector.push(start);
      decoders.push(collector);
    }
    return (process.memoryUsage().arrayBuffers - before) / 8;
  });
  const [, each = 0] = costs.toSorted((one, other) => one - other);
  assert.ok(
    each <= MIB,
    `64 bytes of a message of 16 MiB cost each of ${decoders.length} decoders ${Math.round(each / 1024)} KiB of memory`,
  );
}

// Every byte comes in a chunk of 64 KiB; holding on to those would take 64 MiB.
export function letsChunksGo(subject: FramingSubject): void {
  const start = subject.messageOf(65_000)?.subarray(0, 64) ?? Buffer.alloc(0);
  if (!subject.keepsBoundaries || !collectGarbage()) return;
  const before = process.memoryUsage().arrayBuffers;
  const decoders = Array.from({ length: 16 }, () => new Collector(subject.framing));
  for (const byte of start)
    for (const decoder of decoders) decoder.push(Buffer.alloc(65_536, byte).subarray(0, 1));
  collectGarbage();
  const each = (process.memoryUsage().arrayBuffers - before) / decoders.length;
  assert.ok(
    each <= MIB,
    `${start.length} bytes, each in a chunk of its own, keep ${Math.round(each / 1024)} KiB`,
  );
}

/** Chunks come in memory that changes as soon as they were pushed, and messages are read only while they are delivered. */
export function lendsOnlyForTheCall(subject: FramingSubject): void {
  const { framing, payloads } = subject;
  const decoder = framing.decoder({ maxMessageBytes: MIB });
  if (decoder.lend === undefined) return;
  decoder.lend();
  const seen: Buffer[] = [];
  const sink = { message: (payload: Buffer) => void seen.push(Buffer.from(payload)) };
  const memory = Buffer.alloc(64);
  const random = new Random(3);
  const some = Array.from({ length: 200 }, () => payloads[random.below(payloads.length)]!);
  for (const piece of random.cut(encodeAll(framing, some), 2_000))
    for (let at = 0; at < piece.length; at += memory.length) {
      const length = piece.copy(memory, 0, at);
      decoder.push(memory.subarray(0, length), sink);
      memory.fill(0xee);
    }
  decoder.end(sink);
  subject.same(seen, some, 'that are lent');
}
