import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { takeLeaf } from './session-leaf.js';

function element(tag: number, ...parts: Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const head = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...head]), content]);
}

const bytes = (length: number, value: number): Buffer => Buffer.alloc(length, value);
const SECRET = bytes(48, 0x5e);
const certificate = (length: number): Buffer => element(0x30, bytes(length, 0xce));
const before = [
  element(2, bytes(1, 1)),
  element(2, bytes(2, 3)),
  element(4, bytes(2, 0x13)),
  element(4, bytes(32, 7)),
  element(4, SECRET),
];
const times = [element(0xa1, element(2, bytes(4, 1))), element(0xa2, element(2, bytes(2, 1)))];
const after = [element(0xa4, element(4, bytes(32, 9))), element(0xa6, element(4, Buffer.from('a.test')))];

describe('the certificate in a session', () => {
  it.each([0, 10, 127, 128, 200, 255, 256, 1_000, 60_000])('is found where it has %i bytes', (length) => {
    const session = element(0x30, ...before, ...times, element(0xa3, certificate(length)), ...after);
    expect(takeLeaf(session)).toEqual(certificate(length));
  });

  it("is a copy, and the session's bytes are erased", () => {
    const session = element(0x30, ...before, element(0xa3, certificate(20)), ...after);
    const leaf = takeLeaf(session);
    expect(session.every((byte) => byte === 0)).toBe(true);
    expect(leaf).toEqual(certificate(20));
    expect(leaf?.buffer.byteLength).toBe(leaf?.length);
  });

  it.each([
    ['there is none', element(0x30, ...before, ...times, ...after)],
    ['there is nothing', Buffer.alloc(0)],
    ["it isn't a sequence", element(0x31, ...before, element(0xa3, certificate(20)))],
    ['something follows', Buffer.concat([element(0x30, element(0xa3, certificate(20))), Buffer.of(0)])],
    ["the peer isn't a sequence", element(0x30, element(0xa3, element(4, bytes(20, 1))))],
    ['the peer is empty', element(0x30, element(0xa3))],
    ['there are two in one place', element(0x30, element(0xa3, certificate(1), certificate(1)))],
    ['a field is cut off', element(0x30, ...before, element(0xa3, certificate(20)).subarray(0, -1))],
    ['a length is indefinite', element(0x30, Buffer.from([4, 0x80]), element(0xa3, certificate(1)))],
    ['a length is absurd', element(0x30, Buffer.from([4, 0x84, 0, 0, 0, 0]), element(0xa3, certificate(1)))],
  ])('is null where %s, and the bytes are erased nevertheless', (_what, session) => {
    expect(takeLeaf(session)).toBeNull();
    expect(session.every((byte) => byte === 0)).toBe(true);
  });

  it('is null or part of the bytes, for any bytes', () => {
    const damaged = fc
      .tuple(fc.nat(200), fc.integer({ min: 0, max: 255 }), fc.nat(300))
      .map(([at, value, length]) => {
        const session = element(0x30, ...before, element(0xa3, certificate(60)), ...after);
        session[at] = value;
        return session.subarray(0, length);
      });
    fc.assert(
      fc.property(
        fc.oneof(
          damaged,
          fc.uint8Array().map((any) => Buffer.from(any)),
        ),
        (session) => {
          const copy = Buffer.from(session);
          const leaf = takeLeaf(session);
          if (leaf !== null) expect(copy.includes(leaf)).toBe(true);
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
