import { describe, expect, it } from 'vitest';
import { MalformedDerError } from '../errors/malformed-der.js';
import { DerReader } from './der.js';
import { readName, type DistinguishedName } from './name.js';

const tlv = (tag: number, ...parts: Buffer[]): Buffer => {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.of(tag, content.length), content]);
};
const oids = { CN: '550403', O: '55040a', OU: '55040b' } as const;
const utf8 = 0x0c;
const printable = 0x13;

/** Reads a name of attributes given as [type, text, string tag]; a nested list makes one relative name of several. */
type Attribute = readonly [keyof typeof oids, string | Buffer, number?];
function name(...relative: (Attribute | readonly Attribute[])[]): DistinguishedName {
  const one = ([type, text, tag = utf8]: Attribute): Buffer =>
    tlv(0x30, tlv(0x06, Buffer.from(oids[type], 'hex')), tlv(tag, Buffer.from(text as string)));
  const isMany = (part: Attribute | readonly Attribute[]): part is readonly Attribute[] =>
    Array.isArray(part[0]);
  const sets = relative.map((part) => tlv(0x31, ...(isMany(part) ? part.map(one) : [one(part)])));
  return readName(new DerReader(tlv(0x30, ...sets)), 'name');
}

describe('distinguished names', () => {
  it('compare without regard to case, runs of spaces and string type', () => {
    expect(name(['CN', 'Example  CA ', printable]).equals(name(['CN', ' example ca']))).toBe(true);
    expect(name(['CN', 'É']).equals(name(['CN', 'e\u0301']))).toBe(true);
  });

  it('differ by type, value, order and number of parts', () => {
    expect(name(['CN', 'a']).equals(name(['O', 'a']))).toBe(false);
    expect(name(['CN', 'a']).equals(name(['CN', 'b']))).toBe(false);
    expect(name(['O', 'a'], ['CN', 'b']).equals(name(['CN', 'b'], ['O', 'a']))).toBe(false);
    expect(name(['CN', 'a']).equals(name(['CN', 'a'], ['CN', 'a']))).toBe(false);
    expect(
      name(['O', 'a'], ['CN', 'b']).equals(
        name([
          ['O', 'a'],
          ['CN', 'b'],
        ] as const),
      ),
    ).toBe(false);
  });

  it('compare one part of several attributes in any order', () => {
    expect(
      name([
        ['O', 'a'],
        ['CN', 'b'],
      ] as const).equals(
        name([
          ['CN', 'b'],
          ['O', 'a'],
        ] as const),
      ),
    ).toBe(true);
  });

  it("can't be forged by separators in a value", () => {
    expect(name(['O', 'a"],["2.5.4.3=b']).equals(name(['O', 'a'], ['CN', 'b']))).toBe(false);
    expect(name(['O', 'a\n["2.5.4.3=b"]']).equals(name(['O', 'a'], ['CN', 'b']))).toBe(false);
  });

  it('lie within the names that start them', () => {
    const child = name(['O', 'Acme'], ['OU', 'Web'], ['CN', 'a']);
    expect(child.isWithin(name(['O', 'ACME']))).toBe(true);
    expect(child.isWithin(name())).toBe(true);
    expect(child.isWithin(name(['OU', 'Web']))).toBe(false);
    expect(name(['O', 'Acme']).isWithin(child)).toBe(false);
  });

  it('show as OpenSSL prints them, with what is special escaped', () => {
    expect(String(name(['O', 'Acme, Inc.'], ['CN', 'a\u0000b\u202e']))).toBe(
      'O=Acme\\, Inc., CN=a\\u{0}b\\u{202e}',
    );
    expect(
      String(
        name([
          ['OU', 'x'],
          ['CN', 'y'],
        ] as const),
      ),
    ).toBe('OU=x + CN=y');
    expect(String(name())).toBe('(empty name)');
  });

  it('give the values of an attribute', () => {
    const both = name(['OU', 'Web'], ['OU', 'Ops'], ['CN', 'a']);
    expect(both.organizationalUnits).toEqual(['Web', 'Ops']);
    expect(both.commonNames).toEqual(['a']);
  });

  it.each([
    ['a part without attributes', tlv(0x30, tlv(0x31))],
    [
      "bytes that aren't UTF-8",
      tlv(0x30, tlv(0x31, tlv(0x30, Buffer.from('0603550403', 'hex'), tlv(utf8, Buffer.of(0xff))))),
    ],
    [
      'PrintableString beyond ASCII',
      tlv(0x30, tlv(0x31, tlv(0x30, Buffer.from('0603550403', 'hex'), tlv(printable, Buffer.of(0xe9))))),
    ],
    [
      'half a BMPString',
      tlv(0x30, tlv(0x31, tlv(0x30, Buffer.from('0603550403', 'hex'), tlv(0x1e, Buffer.of(0))))),
    ],
  ])('refuse %s', (_, der) => {
    expect(() => readName(new DerReader(der), 'name')).toThrow(MalformedDerError);
  });

  it('read the other string types', () => {
    const of = (tag: number, hex: string): string | undefined =>
      readName(
        new DerReader(
          tlv(
            0x30,
            tlv(0x31, tlv(0x30, Buffer.from('0603550403', 'hex'), tlv(tag, Buffer.from(hex, 'hex')))),
          ),
        ),
        'name',
      ).commonNames[0];
    expect(of(0x1e, '00e4263a')).toBe('ä☺');
    expect(of(0x1c, '000000e40001f600')).toBe('ä😀');
    expect(of(0x14, 'e4')).toBe('ä');
    expect(of(0x02, '05')).toBe('#020105');
  });
});
