import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProtocolError } from '../../errors/index.js';
import type { Output } from '../framing.js';
import { MemoryOutput } from '../../testing/index.js';
import {
  encodeClose,
  encodeError,
  encodeFrame,
  encodePing,
  encodeRefused,
  encodeRejected,
  encodeWelcome,
  FrameDecoder,
  Kind,
  parseClose,
  parseError,
  parseRefused,
  parseRejected,
  parseWelcome,
} from './index.js';

function through(write: (out: Output) => void): { kind: number; id: number; body: Buffer } {
  const out = new MemoryOutput();
  write(out);
  const frames: { kind: number; id: number; body: Buffer }[] = [];
  const decoder = new FrameDecoder({ maxMessageBytes: 100 });
  decoder.push(out.bytes(), { frame: (kind, id, body) => void frames.push({ kind, id, body }) });
  decoder.end();
  expect(frames).toHaveLength(1);
  return frames[0]!;
}

describe('control frames', () => {
  it('come out as they went in', () => {
    expect(
      parseWelcome(through((out) => encodeWelcome(out, { maxMessage: 7, maxInFlight: 9 })).body),
    ).toEqual({ maxMessage: 7, maxInFlight: 9, features: new Map() });
    expect(parseRefused(through((out) => encodeRefused(out, 'expired', 'since May')).body)).toEqual({
      reason: 'expired',
      text: 'since May',
    });
    const rejected = through((out) => encodeRejected(out, 5, 'busy', 'later'));
    expect([rejected.id, parseRejected(rejected.body)]).toEqual([5, { reason: 'busy', text: 'later' }]);
    const error = through((out) => encodeError(out, 6, 'größe', 'zu groß'));
    expect([error.id, parseError(error.body)]).toEqual([6, { code: 'größe', text: 'zu groß' }]);
    expect(parseClose(through((out) => encodeClose(out)).body)).toBeNull();
    expect(parseClose(through((out) => encodeClose(out, { code: 'X', text: '' })).body)).toEqual({
      code: 'X',
      text: '',
    });
  });

  it('cut any text at a character boundary, and fit into a control frame whatever they are given', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', maxLength: 300 }),
        fc.integer({ min: 0, max: 60 }),
        (unit, times) => {
          const text = unit.repeat(times);
          const code = unit;
          const parsed = parseError(through((out) => encodeError(out, 1, code, text)).body);
          expect(code.startsWith(parsed.code)).toBe(true);
          expect(text.startsWith(parsed.text)).toBe(true);
          if (Buffer.byteLength(text) < 3800) expect(parsed.text).toBe(text);
          else expect(Buffer.byteLength(parsed.text)).toBeGreaterThan(3800);
        },
      ),
    );
  });

  it('announce limits over 32 bits as the most that 32 bits hold', () => {
    const welcome = through((out) => encodeWelcome(out, { maxMessage: 2 ** 40, maxInFlight: Infinity }));
    expect(parseWelcome(welcome.body)).toMatchObject({ maxMessage: 2 ** 32 - 1, maxInFlight: 2 ** 32 - 1 });
  });

  it("announce features, those that a receiver doesn't know included", () => {
    const features = new Map([
      ['close-code', Buffer.alloc(0)],
      ['to-come', Buffer.of(1, 2)],
    ]);
    const welcome = through((out) => encodeWelcome(out, { maxMessage: 7, maxInFlight: 9, features }));
    expect(parseWelcome(welcome.body)).toEqual({ maxMessage: 7, maxInFlight: 9, features });
    for (let cut = 9; cut < welcome.body.length; cut++) {
      if (cut === 20) continue; // between the two
      expect(() => parseWelcome(welcome.body.subarray(0, cut))).toThrow(/inside one of its features/);
    }
  });

  it('whose code reaches past their end, or is no ASCII where it must be, are malformed', () => {
    expect(() => parseRefused(Buffer.from('0561', 'hex'))).toThrow(ProtocolError);
    expect(() => parseRefused(Buffer.alloc(0))).toThrow(/REFUSED ends before/);
    expect(() => parseClose(Buffer.from('01ff', 'hex'))).toThrow(/byte 0xff/);
    expect(() => encodePing(new MemoryOutput(), Buffer.alloc(7))).toThrow(/8 bytes, not 7/);
  });

  it('keep ASCII codes ASCII', () => {
    expect(parseRefused(through((out) => encodeRefused(out, 'naïve\n', '')).body).reason).toBe('na?ve?');
  });
});

describe('encodeFrame', () => {
  it('refuses what no frame holds, writing nothing', () => {
    const out = new MemoryOutput();
    const huge = { length: 2 ** 32 - 9 } as Uint8Array;
    expect(() => encodeFrame(Kind.REQUEST, 1, huge, out)).toThrow(
      /4,294,967,287 bytes is over the limit of 4,294,967,286/,
    );
    expect(out.length).toBe(0);
  });

  it('takes null for an empty payload', () => {
    expect(through((out) => encodeFrame(Kind.RESPONSE, 3, null, out))).toMatchObject({ kind: 5, id: 3 });
  });
});
