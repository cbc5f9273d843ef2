import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CertificateError } from '../errors.js';
import { pemToDer } from '../formats/formats.js';
import { readPem, toPem } from './pem.js';

describe('PEM', () => {
  it('is unchanged after a round trip, with any text between the blocks', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ minLength: 1 }), { minLength: 1 }),
        fc.lorem(),
        (contents, between) => {
          const text = contents.map((bytes) => toPem('CERTIFICATE', bytes)).join(`${between}\n`);
          expect(readPem(text.replaceAll('\n', '\r\n')).map(({ der }) => [...der])).toEqual(
            contents.map((bytes) => [...bytes]),
          );
        },
      ),
    );
  });

  it.each([
    ['-----BEGIN CERTIFICATE-----\nAAAA\n', 0],
    [`text\n${toPem('A', Buffer.from('x'))}-----BEGIN PRIVATE KEY-----\nAAAA`, 44],
    ['-----BEGIN CERTIFICATE-----\nAAAA\n-----END B-----\n', 0],
    [`${'x'.repeat(9)}-----BEGIN ${'A'.repeat(100)}-----`, 9],
  ])("that isn't whole is refused with its place (%#)", (text, offset) => {
    expect(() => readPem(text)).toThrow(expect.objectContaining({ constructor: CertificateError, offset }));
  });

  it.each([
    'x\n-----BEGIN CERTIFICATE-----\n*\n-----END CERTIFICATE-----\n',
    toPem('CERTIFICATE', Buffer.alloc(0)),
  ])("whose body isn't base64 is refused as one of our errors (%#)", (text) => {
    expect(() => pemToDer(text)).toThrow(CertificateError);
  });

  it.each([
    '-----BEGIN A-----\n'.repeat(100_000),
    `-----BEGIN A-----\n${':'.repeat(500_000)}\n-----END A-----`,
    `-----BEGIN A-----\n${'a:\r\n'.repeat(200_000)}\n-----END A-----`,
  ])('takes a few passes at most, however it is made to take longer (%#)', (text) => {
    expect(() => pemToDer(text)).toThrow(CertificateError);
  });

  it('may be a large list', () => {
    const der = Buffer.alloc(24 * 1_048_576, 7);
    expect(readPem(toPem('X509 CRL', der))[0]?.der.equals(der)).toBe(true);
  });
});
