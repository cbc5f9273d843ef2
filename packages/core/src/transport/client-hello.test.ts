import fc from 'fast-check';
import { connect } from 'node:tls';
import { Duplex } from 'node:stream';
import { beforeAll, describe, expect, it } from 'vitest';
import { ClientHelloReader, MAX_CLIENT_HELLO, type ClientHello } from './client-hello.js';

let hello: Buffer;
beforeAll(async () => {
  hello = await helloOf('name.example');
});

/** What Node's own client sends first. */
function helloOf(servername: string): Promise<Buffer> {
  return new Promise((resolve) => {
    const wire = new Duplex({
      read: () => undefined,
      write: (chunk: Buffer, _encoding, done) => {
        resolve(chunk);
        done();
      },
    });
    connect({ socket: wire, servername }).on('error', () => undefined);
  });
}

function readAll(chunks: readonly Buffer[]): ClientHello {
  const reader = new ClientHelloReader();
  let answer: ClientHello = { status: 'incomplete' };
  for (const chunk of chunks) {
    answer = reader.push(chunk);
    if (answer.status !== 'incomplete') return answer;
  }
  return answer;
}

/** The same message, in records of a given size. */
function inRecordsOf(size: number, bytes: Buffer): Buffer {
  return inRecords(size, bytes.subarray(5));
}

function inRecords(size: number, message: Buffer): Buffer {
  const records: Buffer[] = [];
  for (let at = 0; at < message.length; at += size) {
    const part = message.subarray(at, at + size);
    records.push(Buffer.from([22, 3, 1, part.length >> 8, part.length & 0xff]), part);
  }
  return Buffer.concat(records);
}

const EMPTY = Buffer.from([22, 3, 1, 0, 0]);

const uint16 = (value: number): number[] => [value >> 8, value & 0xff];
const list = (...entries: number[][]): number[] => [...uint16(entries.flat().length), ...entries.flat()];
const entry = (type: number, name: string): number[] => [type, ...uint16(name.length), ...Buffer.from(name)];
const extension = (type: number, body: number[]): Buffer =>
  Buffer.from([...uint16(type), ...uint16(body.length), ...body]);
const serverName = (...entries: number[][]): Buffer => extension(0, list(...entries));

const protocols = (...names: string[]): number[] =>
  list(...names.map((name) => [name.length, ...Buffer.from(name)]));
const alpn = (...names: string[]): Buffer => extension(16, protocols(...names));

function message(body: Buffer): Buffer {
  return Buffer.concat([Buffer.from([1, body.length >> 16, ...uint16(body.length & 0xffff)]), body]);
}

/** 47 bytes and the extensions. */
function helloWith(extensions: Buffer): Buffer {
  const head = Buffer.concat([Buffer.from([3, 3]), Buffer.alloc(32), Buffer.from([0, 0, 2, 0x13, 1, 1, 0])]);
  return message(Buffer.concat([head, Buffer.from(uint16(extensions.length)), extensions]));
}

describe('ClientHelloReader', () => {
  it("finds the name that Node's client requests", () => {
    expect(readAll([hello])).toEqual({ status: 'complete', servername: 'name.example', isValidation: false });
  });

  it('finds it in any split into records and chunks', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2_000 }),
        fc.array(fc.integer({ min: 1, max: 400 })),
        (size, cuts) => {
          const bytes = inRecordsOf(size, hello);
          const chunks: Buffer[] = [];
          let at = 0;
          for (const cut of cuts) chunks.push(bytes.subarray(at, (at += cut)));
          chunks.push(bytes.subarray(at));
          expect(readAll(chunks)).toEqual({
            status: 'complete',
            servername: 'name.example',
            isValidation: false,
          });
        },
      ),
    );
  });

  it('waits as long as a byte is missing', () => {
    expect(readAll([hello.subarray(0, -1)])).toEqual({ status: 'incomplete' });
  });

  it('reads each byte once, also in the worst split', () => {
    // Parsed from the start with each byte, this would take minutes.
    const longest = Buffer.alloc(MAX_CLIENT_HELLO);
    longest.set([22, 3, 1, 0xff, 0xff, 1, 0, (longest.length - 9) >> 8, (longest.length - 9) & 0xff]);
    const worst = inRecordsOf(1, longest);
    const reader = new ClientHelloReader();
    let waited = 0;
    while (reader.push(worst.subarray(waited, waited + 1)).status === 'incomplete') waited += 1;
    expect(waited).toBe(worst.length - 1);
  });

  it.each([
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n')],
    ['SSH', Buffer.from('SSH-2.0-OpenSSH_9.6\r\n')],
    ['SSL 2', Buffer.from([0x80, 0x2e, 1, 3, 3])],
    ['another major version', Buffer.from([22, 2, 0, 0, 4])],
    ["a content type that TLS doesn't have", Buffer.from([25, 3, 1, 0, 4])],
  ])('leaves %s to OpenSSL', (_what, bytes) => {
    expect(readAll([bytes])).toEqual({ status: 'other' });
  });

  it.each([
    ['an empty record', 10, /empty/, [EMPTY]],
    ['an empty record in its midst', 10, /empty/, [() => hello.subarray(0, 5), EMPTY]],
    ['another handshake message', 10, /message of type 2/, [Buffer.from([22, 3, 1, 0, 4, 2, 0, 0, 0])]],
    ['an alert first', 10, /content type 21/, [Buffer.from([21, 3, 1, 0, 2, 1, 90])]],
    ['a change_cipher_spec first', 10, /content type 20/, [Buffer.from([20, 3, 3, 0, 1, 1])]],
    ['application data first', 10, /content type 23/, [Buffer.from([23, 3, 3, 0, 1, 1])]],
    ['a record over the limit', 22, /16385 bytes/, [Buffer.from([22, 3, 1, 0x40, 0x01])]],
    ['a message over the limit', 50, /65537 bytes/, [Buffer.from([22, 3, 1, 0, 4, 1, 0, 0xff, 0xfd])]],
  ])('refuses %s', (_what, alert, why, parts) => {
    const bytes = Buffer.concat(parts.map((part) => (typeof part === 'function' ? part() : part)));
    // With only the header of a hello, the next record would be counted as its content.
    const answer = _what.endsWith('midst')
      ? readAll([inRecordsOf(40, hello).subarray(0, 45), EMPTY])
      : readAll([bytes]);
    expect(answer).toEqual({ status: 'refused', alert, why: expect.stringMatching(why) as string });
  });

  it("refuses what isn't TLS between two records of a hello", () => {
    const answer = readAll([inRecordsOf(40, hello).subarray(0, 45), Buffer.from('GET / ')]);
    expect(answer).toMatchObject({ status: 'refused', alert: 10 });
  });

  it('accepts records up to the maximum of TLS, and messages up to the limit', () => {
    const longest = helloWith(extension(21, new Array<number>(MAX_CLIENT_HELLO - 51).fill(0)));
    expect(longest.length).toBe(MAX_CLIENT_HELLO);
    expect(readAll([inRecords(16_384, longest)])).toEqual({
      status: 'complete',
      servername: null,
      isValidation: false,
    });
  });

  it('finds no name where there are no extensions, or none of names', () => {
    const bare = Buffer.concat([
      Buffer.from([3, 3]),
      Buffer.alloc(32),
      Buffer.from([0, 0, 2, 0x13, 1, 1, 0]),
    ]);
    expect(readAll([inRecords(16_384, message(bare))])).toEqual({
      status: 'complete',
      servername: null,
      isValidation: false,
    });
    expect(readAll([inRecords(16_384, helloWith(extension(23, [])))])).toMatchObject({ servername: null });
  });

  it.each([
    ['an empty name', serverName(entry(0, ''))],
    ['a name with a zero byte', serverName(entry(0, 'a.test\0b'))],
    ['a name over 255 bytes', serverName(entry(0, 'a'.repeat(256)))],
    ['a name of another type', serverName(entry(1, 'a.test'))],
    ['two names', serverName(entry(0, 'a.test'), entry(0, 'b.test'))],
    ['no name in its list', serverName()],
    ['bytes behind its list', extension(0, [...list(entry(0, 'a.test')), 0])],
    ['a list that is cut off', extension(0, list(entry(0, 'a.test')).slice(0, -1))],
    ['the extension twice', Buffer.concat([serverName(entry(0, 'a.test')), serverName(entry(0, 'a.test'))])],
    ['an extension that is cut off', serverName(entry(0, 'a.test')).subarray(0, -1)],
  ])('refuses a hello with %s', (_what, extensions) => {
    const answer = readAll([inRecords(16_384, helloWith(extensions))]);
    expect(answer).toMatchObject({ status: 'refused', alert: 50 });
  });

  it('accepts a name of 255 bytes', () => {
    const servername = 'a'.repeat(255);
    const answer = readAll([inRecords(16_384, helloWith(serverName(entry(0, servername))))]);
    expect(answer).toEqual({ status: 'complete', servername, isValidation: false });
  });

  it.each([
    ['acme-tls/1 alone', true, [alpn('acme-tls/1')]],
    ['acme-tls/1 beside a name', true, [serverName(entry(0, 'a.test')), alpn('acme-tls/1')]],
    ['nothing of ALPN', false, [serverName(entry(0, 'a.test'))]],
    ['an empty list', false, [alpn()]],
    ['another protocol', false, [alpn('acme-tls/2')]],
    ['another case', false, [alpn('ACME-TLS/1')]],
    ['acme-tls/1 first', false, [alpn('acme-tls/1', 'h2')]],
    ['acme-tls/1 last', false, [alpn('h2', 'acme-tls/1')]],
    ['acme-tls/1 twice', false, [alpn('acme-tls/1', 'acme-tls/1')]],
    ['two lists', false, [alpn('acme-tls/1'), alpn('acme-tls/1')]],
    ['a list and bytes behind it', false, [extension(16, [...protocols('acme-tls/1'), 0])]],
    ['a list that is cut off', false, [extension(16, protocols('acme-tls/1').slice(0, -1))]],
    ['that list in another extension', false, [extension(17, protocols('acme-tls/1'))]],
  ])('with %s: is it a validation? %j', (_what, isValidation, extensions) => {
    const answer = readAll([inRecords(16_384, helloWith(Buffer.concat(extensions)))]);
    expect(answer).toMatchObject({ status: 'complete', isValidation });
  });

  it('refuses bytes after the extensions, and a hello that its own length truncates', () => {
    const whole = helloWith(serverName(entry(0, 'a.test'))).subarray(4);
    const longer = message(Buffer.concat([whole, Buffer.of(0)]));
    expect(readAll([inRecords(16_384, longer)])).toMatchObject({ status: 'refused' });
    for (const length of [0, 33, 34, 36, 39, 40, 42, whole.length - 1]) {
      const cut = readAll([inRecords(16_384, message(whole.subarray(0, length)))]);
      expect([length, cut.status]).toEqual([length, 'refused']);
    }
  });

  it('never throws, and gives the same result for bytes at once or one by one', () => {
    const anything = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.tuple(fc.nat(hello.length - 1), fc.integer({ min: 0, max: 255 })).map(([at, value]) => {
        const damaged = Buffer.from(hello);
        damaged[at] = value;
        return damaged;
      }),
    );
    fc.assert(
      fc.property(anything, (input) => {
        const bytes = Buffer.from(input);
        const single = readAll([...bytes].map((byte) => Buffer.from([byte])));
        expect(single).toEqual(readAll([bytes]));
      }),
      { numRuns: 500 },
    );
  });
});
