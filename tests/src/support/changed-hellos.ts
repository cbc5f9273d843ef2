/** ClientHellos as no client sends them, made from ones that clients do send. */
import fc from 'fast-check';

/** One change of a hello's bytes. */
type Change = (bytes: Buffer) => Buffer;

const concat = (...parts: (Buffer | readonly number[])[]): Buffer =>
  Buffer.concat(parts.map((part) => Buffer.from(part)));
const uint16 = (value: number): number[] => [(value >> 8) & 0xff, value & 0xff];
const record = (type: number, body: Buffer | readonly number[], version = 1): Buffer =>
  concat([type, 3, version, ...uint16(body.length)], body);

/** Any bytes but those of the first record stay as they are. */
function ofMessage(change: Change): Change {
  return (bytes) => {
    if (bytes.length < 5) return bytes;
    const end = 5 + bytes.readUInt16BE(3);
    const changed = change(bytes.subarray(5, end));
    return concat(record(22, changed.subarray(0, 16_384)), bytes.subarray(end));
  };
}

/** The message's own length follows. */
function ofBody(change: Change): Change {
  return ofMessage((message) => {
    const body = change(message.subarray(4));
    return concat([1, (body.length >> 16) & 0xff, ...uint16(body.length & 0xffff)], body);
  });
}

/** What is in front of the extensions, and each of them with its head; null where the hello isn't whole. */
function partsOf(body: Buffer): { head: Buffer; extensions: Buffer[] } | null {
  try {
    let at = 34;
    at += 1 + body.readUInt8(at);
    at += 2 + body.readUInt16BE(at);
    at += 1 + body.readUInt8(at);
    const head = body.subarray(0, at);
    const extensions: Buffer[] = [];
    for (at += 2; at < body.length;) {
      const end = at + 4 + body.readUInt16BE(at + 2);
      extensions.push(body.subarray(at, end));
      at = end;
    }
    return { head, extensions };
  } catch {
    return null;
  }
}

/** The lengths follow. */
function ofExtensions(change: (extensions: Buffer[]) => Buffer[]): Change {
  return ofBody((body) => {
    const parts = partsOf(body);
    if (parts === null) return body;
    const all = Buffer.concat(change(parts.extensions));
    return concat(parts.head, uint16(all.length), all);
  });
}

const isServerName = (extension: Buffer): boolean => extension.length >= 2 && extension.readUInt16BE() === 0;
const extension = (type: number, body: Buffer | readonly number[]): Buffer =>
  concat(uint16(type), uint16(body.length), body);
const entry = (type: number, name: Buffer): Buffer => concat([type], uint16(name.length), name);
const serverName = (entries: readonly Buffer[]): Buffer => {
  const list = Buffer.concat(entries);
  return extension(0, concat(uint16(list.length), list));
};

const small = fc.nat(300);
const octet = fc.integer({ min: 0, max: 255 });
const name = fc
  .oneof(
    fc.constantFrom(
      'a.test',
      'b.test',
      'A.TEST',
      'a.test.',
      'a.test\0',
      '',
      '*',
      'x'.repeat(255),
      'x'.repeat(256),
    ),
    fc.string({ maxLength: 20 }),
  )
  .map((text) => Buffer.from(text));
const entries = fc.array(
  fc
    .tuple(fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, octet), name)
    .map(([type, bytes]) => entry(type, bytes)),
  { maxLength: 3 },
);

const otherRecord = fc.oneof(
  fc.constant(record(22, [])),
  fc.constant(record(22, [], 3)),
  fc.constantFrom([1, 90], [1, 100], [1, 0], [2, 40]).map((alert) => record(21, alert)),
  fc.constant(record(20, [1], 3)),
  fc.constant(record(23, [])),
  fc.constant(record(22, [0, 0, 0, 0])),
  fc.constant(Buffer.from([0x80, 0x2e, 1, 3, 3])),
  fc
    .tuple(octet, octet, fc.uint8Array({ maxLength: 12 }))
    .map(([type, version, body]) => record(type, Buffer.from(body), version)),
  fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes)),
);

/** Cuts the first record into several, with something between two of them. */
function cut(size: number, between: Buffer, after: number): Change {
  return (bytes) => {
    if (bytes.length < 6) return bytes;
    const end = Math.min(bytes.length, 5 + bytes.readUInt16BE(3));
    const records: Buffer[] = [];
    for (let at = 5; at < end; at += size) {
      if (records.length === after) records.push(between);
      records.push(record(22, bytes.subarray(at, Math.min(at + size, end))));
    }
    return concat(...records, bytes.subarray(end));
  };
}

const change: fc.Arbitrary<Change> = fc.oneof(
  fc.tuple(small, octet).map(([at, value]): Change => (bytes) => {
    const damaged = Buffer.from(bytes);
    if (at < damaged.length) damaged[at] = value;
    return damaged;
  }),
  fc.tuple(small, fc.uint8Array({ minLength: 1, maxLength: 8 })).map(
    ([at, inserted]): Change =>
      (bytes) =>
        concat(bytes.subarray(0, at), Buffer.from(inserted), bytes.subarray(at)),
  ),
  fc.tuple(small, fc.integer({ min: 1, max: 8 })).map(
    ([at, count]): Change =>
      (bytes) =>
        concat(bytes.subarray(0, at), bytes.subarray(at + count)),
  ),
  small.map(
    (length): Change =>
      (bytes) =>
        bytes.subarray(0, length),
  ),
  otherRecord.map(
    (first): Change =>
      (bytes) =>
        concat(first, bytes),
  ),
  fc.array(otherRecord, { maxLength: 4 }).map(
    (first): Change =>
      (bytes) =>
        concat(...first, bytes),
  ),
  fc.tuple(fc.integer({ min: 1, max: 300 }), otherRecord, fc.nat(3)).map((how) => cut(...how)),
  fc.integer({ min: 1, max: 300 }).map((size) => cut(size, Buffer.alloc(0), 1)),
  entries.map((list) =>
    ofExtensions((all) => all.map((one) => (isServerName(one) ? serverName(list) : one))),
  ),
  entries.map((list) => ofExtensions((all) => [serverName(list), ...all])),
  entries.map((list) => ofExtensions((all) => [...all, serverName(list)])),
  fc.constant(ofExtensions((all) => all.filter((one) => !isServerName(one)))),
  fc.nat(20).map((at) => ofExtensions((all) => [...all.slice(at), ...all.slice(0, at)])),
  fc
    .tuple(fc.nat(65_535), fc.uint8Array({ maxLength: 30 }))
    .map(([type, body]) => ofExtensions((all) => [...all, extension(type, Buffer.from(body))])),
  fc
    .integer({ min: 0, max: 16_000 })
    .map((size) => ofExtensions((all) => [extension(21, Buffer.alloc(size)), ...all])),
  fc
    .uint8Array({ minLength: 1, maxLength: 4 })
    .map((more) => ofBody((body) => concat(body, Buffer.from(more)))),
  fc.tuple(fc.nat(34), octet).map(([at, value]) =>
    ofBody((body) => {
      const damaged = Buffer.from(body);
      damaged[at] = value;
      return damaged;
    }),
  ),
);

/** A hello that was changed up to four times, or not at all. @param hellos what clients send */
export function changedHello(hellos: readonly Buffer[]): fc.Arbitrary<Buffer> {
  return fc
    .tuple(fc.constantFrom(...hellos), fc.array(change, { maxLength: 4 }))
    .map(([hello, changes]) => changes.reduce((bytes, one) => one(bytes), hello));
}
