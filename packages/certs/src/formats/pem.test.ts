import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CertificateError } from '../errors.js';
import { readPem, toPem } from './pem.js';

describe('PEM', () => {
  it('comes out as it went in, with anything between the blocks', () => {
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

  it('keeps the headers of an old encrypted key', () => {
    const key =
      '-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n';
    expect(readPem(key)[0]).toMatchObject({ label: 'RSA PRIVATE KEY', text: key });
  });

  it.each([
    ['-----BEGIN A-----\nAAAA\n', 0],
    [`text\n${toPem('A', Buffer.from('x'))}-----BEGIN A-----\nAAAA`, 44],
    ['-----BEGIN A-----\nAAAA\n-----END B-----\n', 0],
    ['x\n-----BEGIN A-----\n*\n-----END A-----\n', 2],
    ['-----BEGIN A-----\n-----END A-----\n', 0],
    ['-----BEGIN a-----\nAAAA\n-----END a-----\n', 0],
    [`${'x'.repeat(9)}-----BEGIN ${'A'.repeat(100)}-----`, 9],
  ])('that is damaged is refused with its place (%#)', (text, offset) => {
    expect(() => readPem(text)).toThrow(expect.objectContaining({ constructor: CertificateError, offset }));
  });

  it.each([
    '-----BEGIN A-----\n'.repeat(100_000),
    `-----BEGIN A-----\n${':'.repeat(500_000)}\n-----END A-----`,
    `-----BEGIN A-----\n${'a:\r\n'.repeat(200_000)}\n-----END A-----`,
  ])('takes a few passes at most, however it is made to take longer (%#)', (text) => {
    expect(() => readPem(text)).toThrow(CertificateError);
  });

  it('may be a large list', () => {
    const der = Buffer.alloc(24 * 1_048_576, 7);
    expect(readPem(toPem('X509 CRL', der))[0]?.der.equals(der)).toBe(true);
  });
});
