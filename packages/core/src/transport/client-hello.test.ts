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

/** The same message, in records of so many bytes. */
function inRecordsOf(size: number, bytes: Buffer): Buffer {
  const message = bytes.subarray(5);
  const records: Buffer[] = [];
  for (let at = 0; at < message.length; at += size) {
    const part = message.subarray(at, at + size);
    records.push(Buffer.from([22, 3, 1, part.length >> 8, part.length & 0xff]), part);
  }
  return Buffer.concat(records);
}

describe('ClientHelloReader', () => {
  it('finds the name that Node’s client asks for', () => {
    expect(readAll([hello])).toEqual({ status: 'complete', servername: 'name.example' });
  });

  it('finds it however records and chunks are cut', () => {
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
          expect(readAll(chunks)).toEqual({ status: 'complete', servername: 'name.example' });
        },
      ),
    );
  });

  it('waits as long as a byte is missing', () => {
    expect(readAll([hello.subarray(0, -1)])).toEqual({ status: 'incomplete' });
  });

  it('looks at each byte once, in the worst cut too', () => {
    // Read anew with each byte, this takes minutes.
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
    ['another handshake message', Buffer.from([22, 3, 1, 0, 4, 2, 0, 0, 0])],
    ['a record without content', Buffer.from([22, 3, 1, 0, 0])],
    ['a record over the limit', Buffer.from([22, 3, 1, 0xff, 0xff])],
    ['a message over the limit', Buffer.from([22, 3, 1, 0, 4, 1, 1, 0, 1])],
  ])('leaves %s to TLS', (_what, bytes) => {
    expect(readAll([bytes])).toEqual({ status: 'other' });
  });

  it('never throws, and says the same of bytes whether they come at once or one by one', () => {
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
