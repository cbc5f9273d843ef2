import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MalformedDerError } from '../errors/malformed-der.js';
import { DerReader } from './der.js';
import { readTime, showTime } from './time.js';

const utc = 0x17;
const generalized = 0x18;
const read = (tag: number, text: string): number =>
  readTime(new DerReader(Buffer.concat([Buffer.of(tag, text.length), Buffer.from(text, 'latin1')])), 'time');

describe('reading a time', () => {
  it.each([
    [utc, '260301120000Z', '2026-03-01T12:00:00Z'],
    [utc, '491231235959Z', '2049-12-31T23:59:59Z'],
    [utc, '500101000000Z', '1950-01-01T00:00:00Z'],
    [generalized, '20500101000000Z', '2050-01-01T00:00:00Z'],
    [generalized, '99991231235959Z', '9999-12-31T23:59:59Z'],
    [generalized, '20240229000000Z', '2024-02-29T00:00:00Z'],
    [generalized, '00010101000000Z', '0001-01-01T00:00:00Z'],
  ])('reads %i %s as %s', (tag, text, time) => {
    expect(showTime(read(tag, text))).toBe(time);
  });

  it.each([
    [utc, '2603011200Z'],
    [utc, '260301120000'],
    [utc, '260301120000+0100'],
    [utc, '20260301120000Z'],
    [generalized, '20260301120000.5Z'],
    [generalized, '20230229000000Z'],
    [generalized, '20260431000000Z'],
    [generalized, '20261301000000Z'],
    [generalized, '20260001000000Z'],
    [generalized, '20260301240000Z'],
    [generalized, '20260301126000Z'],
    [generalized, '20260301120060Z'],
    [generalized, '2026 301120000Z'],
    [generalized, '-2026301120000Z'],
    [0x0c, '260301120000Z'],
  ])('refuses %i %j', (tag, text) => {
    expect(() => read(tag, text)).toThrow(MalformedDerError);
  });

  it('reads every second of our era as it was written', () => {
    const seconds = fc.integer({ min: Date.UTC(1950, 0) / 1000, max: Date.UTC(9999, 11, 31) / 1000 });
    fc.assert(
      fc.property(seconds, (second) => {
        const text = `${new Date(second * 1000).toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`;
        expect(read(generalized, text)).toBe(second * 1000);
      }),
    );
  });
});
