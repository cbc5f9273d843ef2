import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProtocolError, TruncatedMessageError, type MessageTooLargeError } from '../../errors/index.js';
import { MemoryOutput } from '../../testing/index.js';
import { encodeFrame, FrameDecoder, Kind } from './index.js';

interface Frame {
  kind: number;
  id: number;
  body: string;
}

const limits = { maxMessageBytes: 1000 };

function decode(chunks: Iterable<Uint8Array>, decoder = new FrameDecoder(limits)): Frame[] {
  const frames: Frame[] = [];
  const sink = {
    frame: (kind: number, id: number, body: Buffer) =>
      void frames.push({ kind, id, body: body.toString('hex') }),
  };
  for (const chunk of chunks) decoder.push(Buffer.from(chunk), sink);
  decoder.end();
  return frames;
}

function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(' ', ''), 'hex');
}

const dataFrame = fc.record({
  kind: fc.constantFrom(Kind.MESSAGE, Kind.REQUEST, Kind.RESPONSE),
  id: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  body: fc.uint8Array({ maxLength: 60 }),
});

describe('FrameDecoder', () => {
  it('returns any frames cut into any chunks unchanged', () => {
    const cuts = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 60 });
    fc.assert(
      fc.property(fc.array(dataFrame, { maxLength: 12 }), cuts, (frames, sizes) => {
        const out = new MemoryOutput();
        for (const { kind, id, body } of frames) encodeFrame(kind, id, body, out);
        const decoder = new FrameDecoder(limits);
        const decoded = decode(cut(out.bytes(), sizes), decoder);
        expect(decoder.midFrame).toBe(false);
        expect(decoded).toEqual(
          frames.map(({ kind, id, body }) => ({
            kind,
            id: kind === Kind.MESSAGE ? 0 : id,
            body: Buffer.from(body).toString('hex'),
          })),
        );
      }),
    );
  });

  it('answers any garbage with frames within the limits or a ProtocolError', () => {
    const byte = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 14 }), fc.integer({ min: 0, max: 255 }));
    fc.assert(
      fc.property(
        fc.array(byte, { maxLength: 80 }),
        fc.array(fc.integer({ min: 1, max: 9 })),
        (bytes, sizes) => {
          try {
            for (const frame of decode(cut(Buffer.from(bytes), sizes))) {
              expect(frame.kind).toBeGreaterThanOrEqual(Kind.WELCOME);
              expect(frame.kind).toBeLessThanOrEqual(Kind.PONG);
            }
          } catch (error) {
            if (!(error instanceof ProtocolError)) throw error;
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['a length of 0', '00000000 00', /length 0/],
    ['kind 0', '00000001 00', /0x00 is unknown/],
    ['a kind not yet given', '00000001 0d', /0x0d is unknown/],
    ['each flag bit', '00000001 23', /0x23 has flag bits/],
    ['a REQUEST shorter than its id', '00000004 04 000000', /REQUEST has a body of 3 bytes where 8 or more/],
    [
      'a CANCEL longer than its id',
      '0000000a 07 00000000000000 01 00',
      /CANCEL has a body of 9 bytes where 8 are/,
    ],
    ['a WELCOME without limits', '00000001 01', /WELCOME has a body of 0 bytes where 8 to 4096/],
    ['a PING of 7 bytes', '00000008 0b 00000000000000', /PING has a body of 7/],
    ['a control frame over 4,096 bytes', '00001002 0a', /CLOSE has a body of 4097 bytes where 0 to 4096/],
    ['request id 0', '00000009 04 0000000000000000', /ids start at 1/],
    ['an id over 2^53 - 1', '00000009 07 0020000000000000', /over 2\^53/],
  ])('refuses %s', (_, bytes, message) => {
    const whole = hex(bytes);
    expect(() => decode([whole])).toThrow(message);
    expect(() => decode([...whole].map((byte) => Buffer.of(byte)))).toThrow(message);
  });

  it('accepts GOAWAY with lastId 0 and ids up to 2^53 - 1', () => {
    expect(decode([hex('00000009 09 0000000000000000  00000009 07 001fffffffffffff')])).toEqual([
      { kind: Kind.GOAWAY, id: 0, body: '' },
      { kind: Kind.CANCEL, id: Number.MAX_SAFE_INTEGER, body: '' },
    ]);
  });

  it('measures the limit by the payload, whatever the kind, and before the payload comes', () => {
    for (const [kind, extra] of [
      [Kind.MESSAGE, 0],
      [Kind.REQUEST, 8],
      [Kind.RESPONSE, 8],
    ] as const) {
      const header = Buffer.alloc(5, kind);
      header.writeUInt32BE(1 + extra + 1000);
      new FrameDecoder(limits).push(header, { frame: () => undefined });
      header.writeUInt32BE(1 + extra + 1001);
      expect(() => new FrameDecoder(limits).push(header, { frame: () => undefined })).toThrow(
        expect.objectContaining({ size: 1001, limit: 1000 }) as MessageTooLargeError,
      );
    }
  });

  it('delivers nothing after stop(), though it lies in the same chunk', () => {
    const out = new MemoryOutput();
    for (let i = 1; i <= 3; i++) encodeFrame(Kind.MESSAGE, 0, Buffer.from(`${i}`), out);
    const decoder = new FrameDecoder(limits);
    const seen: string[] = [];
    const sink = {
      frame(_kind: number, _id: number, body: Buffer) {
        seen.push(body.toString());
        decoder.stop();
      },
    };
    decoder.push(out.bytes(), sink);
    decoder.push(out.bytes().subarray(0, 7), sink);
    decoder.end();
    expect(seen).toEqual(['1']);
  });

  it('delivers nothing after stop() from a frame that lay in two chunks', () => {
    const out = new MemoryOutput();
    for (let i = 1; i <= 3; i++) encodeFrame(Kind.MESSAGE, 0, Buffer.from(`${i}`), out);
    const decoder = new FrameDecoder(limits);
    let frames = 0;
    const sink = {
      frame() {
        frames++;
        decoder.stop();
      },
    };
    decoder.push(out.bytes().subarray(0, 5), sink);
    decoder.push(out.bytes().subarray(5), sink);
    expect(frames).toBe(1);
  });

  it('calls an end inside a frame truncated, and says how far it came', () => {
    const decoder = new FrameDecoder(limits);
    decoder.push(hex('00000009 04 0000'), { frame: () => undefined });
    expect(decoder.midFrame).toBe(true);
    expect(() => decoder.end()).toThrow(TruncatedMessageError);
    expect(() => decoder.end()).toThrow(/7 bytes into a frame/);
  });
});

function* cut(bytes: Buffer, sizes: readonly number[]): Iterable<Buffer> {
  let at = 0;
  for (const size of sizes) {
    yield bytes.subarray(at, at + size);
    at += size;
  }
  yield bytes.subarray(at);
}
