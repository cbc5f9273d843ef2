import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MalformedDerError } from '../errors/malformed-der.js';
import { DerReader, Tag } from './der.js';

const reader = (hex: string): DerReader => new DerReader(Buffer.from(hex.replaceAll(' ', ''), 'hex'));

describe('a DER reader', () => {
  it('steps through elements and into them', () => {
    const outer = reader('30 06 02 01 05 01 01 ff').enter(Tag.sequence, 'pair');
    expect(outer.smallInteger(9, 'five')).toBe(5);
    expect(outer.boolean('truth')).toBe(true);
    outer.finish('pair');
    expect(outer.isDone).toBe(true);
  });

  it('reads lengths of several bytes', () => {
    const long = Buffer.concat([Buffer.of(0x04, 0x82, 0x01, 0x00), Buffer.alloc(256, 7)]);
    expect(new DerReader(long).content(Tag.octetString, 'bytes')).toHaveLength(256);
  });

  it.each([
    ['an indefinite length', '04 80 00 00', 'definite length', 1],
    ['a long length that fits one byte', '04 81 05 01 02 03 04 05', "isn't minimal", 1],
    ['a length with a leading zero', `04 82 00 80 ${'00'.repeat(128)}`, "isn't minimal", 1],
    ['a length past the end', '04 05 01 02', '3 bytes past the end', 1],
    ['a length cut short', '04 82 01', 'length past the end', 1],
    ['a length of five bytes', '04 85 01 00 00 00 00', 'length past the end', 1],
    ['a tag without a length', '04', 'no definite length', 1],
    ['another tag', '02 01 05', '0x02 instead of 0x04', 0],
    ['nothing', '', 'missing', 0],
  ])('refuses %s and says where', (_, hex, message, offset) => {
    const read = (): Buffer => reader(hex).content(Tag.octetString, 'it');
    expect(read).toThrow(message);
    expect(read).toThrow(expect.objectContaining({ offset, code: 'KNSOCK_MALFORMED_DER' }) as Error);
  });

  it('refuses tags of several bytes', () => {
    expect(() => reader('1f 81 01 00').element('it')).toThrow('several bytes');
  });

  it('refuses bytes after the last element', () => {
    const outer = reader('30 05 02 01 05 05 00').enter(Tag.sequence, 'it');
    outer.smallInteger(9, 'five');
    expect(() => outer.finish('it')).toThrow('2 bytes too many');
  });

  it.each([
    ['02 02 00 7f', "isn't minimal"],
    ['02 02 ff 80', "isn't minimal"],
    ['02 00', 'without bytes'],
  ])('refuses the integer %s', (hex, message) => {
    expect(() => reader(hex).integer('it')).toThrow(message);
  });

  it.each([
    ['02 01 ff', 'negative'],
    ['02 01 0a', 'over 9'],
    ['02 08 7f ff ff ff ff ff ff ff', 'over 9'],
  ])('refuses %s for a small number', (hex, message) => {
    expect(() => reader(hex).smallInteger(9, 'it')).toThrow(message);
  });

  it('refuses booleans other than 00 and ff', () => {
    expect(() => reader('01 01 01').boolean('it')).toThrow('no DER boolean');
    expect(() => reader('01 02 ff ff').boolean('it')).toThrow('no DER boolean');
    expect(reader('01 01 00').boolean('it')).toBe(false);
  });

  it.each([
    ['03 00', 'unused bits'],
    ['03 01 01', 'unused bits'],
    ['03 02 08 00', 'unused bits'],
    ['03 02 01 03', 'bits that are set'],
  ])('refuses the bit string %s', (hex, message) => {
    expect(() => reader(hex).bitString('it')).toThrow(message);
  });

  it('reads identifiers, also those with large arcs', () => {
    expect(reader('06 03 55 1d 13').oid('it')).toBe('2.5.29.19');
    expect(reader('06 03 88 37 03').oid('it')).toBe('2.999.3');
    expect(reader('06 09 60 86 48 01 86 f8 42 01 01').oid('it')).toBe('2.16.840.1.113730.1.1');
    expect(reader('06 0b 2a 83 ff ff ff ff ff ff ff ff 7f').oid('it')).toBe('1.2.36893488147419103231');
  });

  it.each(['06 00', '06 02 55 80', '06 03 55 80 01', `06 41 ${'01'.repeat(65)}`])(
    'refuses the identifier %s',
    (hex) => {
      expect(() => reader(hex).oid('it')).toThrow(MalformedDerError);
    },
  );

  it('refuses to nest without end', () => {
    let nested = Buffer.alloc(0);
    for (let depth = 0; depth < 40; depth++) nested = Buffer.concat([Buffer.of(0x30, nested.length), nested]);
    const descend = (from: DerReader): void => descend(from.enter(Tag.sequence, 'level'));
    expect(() => descend(new DerReader(nested))).toThrow('nested more than 32 deep');
  });

  it('tells offsets in the file, wherever its own bytes start in it', () => {
    const inner = new DerReader(Buffer.of(0x02, 0x00), 0, 2, 0, 1000);
    expect(() => inner.integer('it')).toThrow('(at offset 1,002)');
  });

  it('fails on any bytes with nothing but its own error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const from = new DerReader(Buffer.from(bytes));
        try {
          while (!from.isDone) from.element('it');
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedDerError);
        }
      }),
    );
  });
});
