import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MalformedDerError } from '../errors/malformed-der.js';
import { derObject, derObjects, splitPem, toPem } from './pem.js';

const block = (label: string, base64: string): string =>
  `-----BEGIN ${label}-----\n${base64}\n-----END ${label}-----\n`;

describe('splitting PEM', () => {
  it('finds every block, whatever stands between', () => {
    const text = `subject=CN=a\n${block('CERTIFICATE', 'MAA=')}\nsome words\r\n${block('X509 CRL', 'MAEA')}`;
    expect(splitPem(text).map(({ label, der }) => `${label} ${der.toString('hex')}`)).toEqual([
      'CERTIFICATE 3000',
      'X509 CRL 300100',
    ]);
    expect(splitPem(Buffer.from(text))).toHaveLength(2);
    expect(splitPem('nothing here')).toEqual([]);
  });

  it('says where a block starts', () => {
    expect(splitPem(`ab\n${block('CERTIFICATE', 'MAA=')}`)[0]?.offset).toBe(3);
  });

  it('takes base64 on one line, on many, and with carriage returns', () => {
    expect(splitPem(block('CERTIFICATE', 'MA\r\nA=\r\n'))[0]?.der.toString('hex')).toBe('3000');
  });

  it.each([
    ['is never closed', '-----BEGIN CERTIFICATE-----\nMAA=\n'],
    ['is never closed', '-----BEGIN CERTIFICATE-----\nMAA=\n-----END X509 CRL-----\n'],
    ['isn’t base64', block('CERTIFICATE', 'MA*=')],
    ['isn’t base64', block('CERTIFICATE', 'MAA')],
    ['isn’t base64', block('CERTIFICATE', 'M=A=')],
    ['without a proper label', '-----BEGIN cert\n'],
    ['without a proper label', '-----BEGIN -----'],
  ])('refuses a block that %s', (problem, text) => {
    expect(() => splitPem(text)).toThrow(problem);
    expect(() => splitPem(text)).toThrow(MalformedDerError);
  });

  it('passes over private keys without reading them', () => {
    const key = block('ENCRYPTED PRIVATE KEY', 'Proc-Type: 4,ENCRYPTED\n\n***');
    expect(derObjects(key + block('CERTIFICATE', 'MAA='), ['CERTIFICATE'])).toHaveLength(1);
    expect(splitPem(key)[0]?.der).toHaveLength(0);
  });

  it('writes what it reads, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), (bytes) => {
        const [read] = splitPem(toPem('CERTIFICATE', bytes));
        expect(read?.der.equals(bytes)).toBe(true);
      }),
    );
  });

  it('fails on any text with nothing but its own error', () => {
    const part = fc.constantFrom('-----BEGIN ', 'CERTIFICATE', '-----', '-----END ', 'MAA=', '\n', 'x');
    fc.assert(
      fc.property(fc.array(part, { maxLength: 30 }), (parts) => {
        try {
          splitPem(parts.join(''));
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedDerError);
        }
      }),
    );
  });
});

describe('finding DER in an input', () => {
  it('takes DER as it is, as a copy', () => {
    const der = Uint8Array.of(0x30, 0x00);
    const object = derObject(der, ['CERTIFICATE']);
    der[1] = 9;
    expect(object.toString('hex')).toBe('3000');
  });

  it('refuses inputs without the object asked for, or with two of them', () => {
    expect(() => derObject(block('X509 CRL', 'MAA='), ['CERTIFICATE'])).toThrow(
      'neither a PEM block "CERTIFICATE" nor DER',
    );
    expect(() => derObject(block('CRL', 'MAA=') + block('CRL', 'MAA='), ['X509 CRL', 'CRL'])).toThrow(
      '2 PEM blocks',
    );
    expect(() => derObject('', ['CERTIFICATE'])).toThrow(MalformedDerError);
    expect(() => derObject(undefined as unknown as string, ['CERTIFICATE'])).toThrow('not undefined');
  });
});
