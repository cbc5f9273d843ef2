import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readFlight } from './server-flight.js';

describe("a server's flight", () => {
  it('is parsed once it is complete, in whatever pieces it arrives', () => {
    const bytes = flight({ suite: 0xc02f, group: 29, done: true, asksForCertificate: true });
    for (let length = 0; length < bytes.length; length += 1)
      expect(readFlight(bytes.subarray(0, length), false)).toBeNull();
    expect(readFlight(bytes, false)).toMatchObject({
      kind: 'hello',
      suite: 0xc02f,
      group: 29,
      asksForCertificate: true,
    });
  });

  it('reports compression and the negotiated extensions', () => {
    const answer = readFlight(
      flight({ suite: 0xc02f, compression: 1, extensions: [[0xff01, Buffer.from([0])]], done: true }),
      false,
    );
    expect(answer).toMatchObject({ compression: 1, retry: false, extensions: new Set([0xff01]) });
  });

  it.each([
    [Buffer.from('ff'.repeat(256), 'hex'), 2_048],
    [Buffer.from(`0001${'ff'.repeat(126)}`, 'hex'), 1_009],
    [Buffer.from('7f', 'hex'), 7],
  ])('counts the bits of a prime', (prime, bits) => {
    expect(readFlight(flight({ suite: 0x9e, prime, done: true }), false)).toMatchObject({
      dhBits: bits,
      group: null,
    });
  });

  it('reads the version and group of TLS 1.3 from where they are', () => {
    const extensions: [number, Buffer][] = [
      [43, Buffer.from('0304', 'hex')],
      [51, Buffer.from('11ec', 'hex')],
    ];
    const hello = serverHello({ suite: 0x1301, extensions, retry: true });
    expect(readFlight(hello, false)).toMatchObject({ version: 0x0304, group: 0x11ec, retry: true });
  });

  it('distinguishes fatal alerts from warnings, and TLS from anything else', () => {
    const warning = Buffer.from('15030300020170', 'hex');
    expect(readFlight(warning, false)).toBeNull();
    expect(readFlight(Buffer.concat([warning, flight({ suite: 0x9e, done: true })]), false)).toMatchObject({
      kind: 'hello',
    });
    expect(readFlight(Buffer.from('15030300020228', 'hex'), false)).toEqual({
      kind: 'alert',
      description: 40,
    });
    expect(readFlight(Buffer.from('HTTP/1.1 400 Bad Request\r\n'), false)).toEqual({ kind: 'other' });
    expect(readFlight(Buffer.from('80050400010002', 'hex'), false)).toEqual({ kind: 'sslv2' });
  });

  it('never throws, whatever the bytes', () => {
    const damaged = fc
      .tuple(fc.array(fc.tuple(fc.nat(120), fc.nat(255)), { maxLength: 6 }), fc.nat(200))
      .map(([changes, length]) => {
        const bytes = flight({ suite: 0xc02f, group: 29, done: true });
        for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
        return bytes.subarray(0, length);
      });
    fc.assert(
      fc.property(
        fc.oneof(
          damaged,
          fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array)),
        ),
        fc.boolean(),
        (bytes, ended) => {
          readFlight(bytes, ended);
        },
      ),
    );
  });
});

interface Hello {
  readonly suite: number;
  readonly compression?: number;
  readonly extensions?: readonly (readonly [number, Buffer])[];
  readonly retry?: boolean;
}

/** A ServerHello in its record. */
function serverHello({ suite, compression = 0, extensions = [], retry = false }: Hello): Buffer {
  const random = retry
    ? Buffer.from('cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c', 'hex')
    : Buffer.alloc(32);
  const list = Buffer.concat(
    extensions.map(([type, body]) => Buffer.concat([uint(2, type), uint(2, body.length), body])),
  );
  const body = [
    uint(2, 0x0303),
    random,
    uint(1, 0),
    uint(2, suite),
    uint(1, compression),
    uint(2, list.length),
    list,
  ];
  return record(message(2, Buffer.concat(body)));
}

/** The flight of TLS 1.2. */
function flight(
  options: Hello & { group?: number; prime?: Buffer; done?: boolean; asksForCertificate?: boolean },
): Buffer {
  const { group, prime, done = false, asksForCertificate = false } = options;
  const parts = [serverHello(options)];
  if (group !== undefined)
    parts.push(record(message(12, Buffer.concat([uint(1, 3), uint(2, group), Buffer.alloc(40)]))));
  if (prime !== undefined)
    parts.push(record(message(12, Buffer.concat([uint(2, prime.length), prime, Buffer.alloc(40)]))));
  if (asksForCertificate) parts.push(record(message(13, Buffer.alloc(8))));
  if (done) parts.push(record(message(14, Buffer.alloc(0))));
  return Buffer.concat(parts);
}

function message(type: number, body: Buffer): Buffer {
  return Buffer.concat([uint(1, type), uint(3, body.length), body]);
}

function record(body: Buffer): Buffer {
  return Buffer.concat([uint(1, 22), uint(2, 0x0303), uint(2, body.length), body]);
}

function uint(bytes: number, value: number): Buffer {
  const buffer = Buffer.alloc(bytes);
  buffer.writeUIntBE(value, 0, bytes);
  return buffer;
}
