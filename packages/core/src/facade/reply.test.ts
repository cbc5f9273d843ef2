import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidOptionError, MessageTooLargeError, TruncatedMessageError } from '../errors/index.js';
import { parseReplyEnd, Reply, type ReplyEnd } from './reply.js';

const MIB = 1_048_576;
const reply = (until: ReplyEnd, limit = MIB): Reply => new Reply(until, limit);

describe('a reply', () => {
  it("goes on until the peer's end", () => {
    const whole = reply('end');
    expect([whole.add(Buffer.from('a')), whole.add(Buffer.from('b'))]).toEqual([false, false]);
    expect(whole.quiet).toBe(Infinity);
    expect(whole.end().toString()).toBe('ab');
  });

  it('ends with its first piece', () => {
    const first = reply('first');
    expect(first.add(Buffer.from('a'))).toBe(true);
    expect(first.bytes.toString()).toBe('a');
  });

  it('ends after a silence, which counts from the first byte only', () => {
    const quiet = reply({ quiet: 250 });
    expect(quiet.quiet).toBe(Infinity);
    quiet.add(Buffer.from('a'));
    expect(quiet.quiet).toBe(250);
  });

  it.each(['end', 'first', { quiet: 250 }] as const)('is empty where %j meets the end at once', (until) => {
    expect(reply(until).end()).toEqual(Buffer.alloc(0));
  });

  it('has exactly as many bytes as asked for, however they come', () => {
    const pieces = fc.array(fc.uint8Array({ minLength: 1, maxLength: 50 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(pieces, fc.nat(), (parts, choice) => {
        const all = Buffer.concat(parts);
        const bytes = 1 + (choice % all.length);
        const counted = reply({ bytes });
        const place = parts.findIndex((part) => counted.add(Buffer.from(part)));
        expect(place).not.toBe(-1);
        expect(counted.bytes).toEqual(all.subarray(0, bytes));
      }),
    );
  });

  it('that lacks bytes says how many came, and keeps them', () => {
    const short = reply({ bytes: 2_000 });
    short.add(Buffer.alloc(1_500));
    const failure = thrownBy(() => short.end());
    expect(failure).toBeInstanceOf(TruncatedMessageError);
    expect(failure.message).toContain('1,500 of 2,000 bytes');
    expect(failure).toMatchObject({ received: Buffer.alloc(1_500) });
  });

  it('over the limit is refused', () => {
    const large = reply('end', 10);
    large.add(Buffer.alloc(10));
    const failure = thrownBy(() => large.add(Buffer.alloc(1)));
    expect(failure).toBeInstanceOf(MessageTooLargeError);
    expect(failure).toMatchObject({ size: 11, limit: 10 });
  });
});

describe('until', () => {
  it('is 250 ms of silence by default', () => {
    expect(parseReplyEnd(undefined, MIB)).toEqual({ quiet: 250 });
  });

  it.each([
    ['soon', 'until'],
    [{}, 'until'],
    [null, 'until'],
    [{ bytes: 0 }, 'until.bytes'],
    [{ bytes: MIB + 1 }, 'until.bytes'],
    [{ quiet: -1 }, 'until.quiet'],
  ])('refuses %j', (until, option) => {
    const failure = thrownBy(() => parseReplyEnd(until as ReplyEnd, MIB));
    expect(failure).toBeInstanceOf(InvalidOptionError);
    expect(failure).toMatchObject({ option });
  });
});

function thrownBy(act: () => unknown): Error {
  try {
    act();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
}
