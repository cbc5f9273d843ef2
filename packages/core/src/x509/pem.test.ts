import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MalformedDerError } from '../errors/malformed-der.js';
import { objectIn, objectsIn } from './formats/objects.js';
import { splitPem, toPem } from './pem.js';

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
    ['is closed by "END X509 CRL"', '-----BEGIN CERTIFICATE-----\nMAA=\n-----END X509 CRL-----\n'],
    ['without a proper label', '-----BEGIN cert\n'],
    ['without a proper label', '-----BEGIN -----'],
  ])('refuses a block that %s', (problem, text) => {
    expect(() => splitPem(text)).toThrow(problem);
    expect(() => splitPem(text)).toThrow(MalformedDerError);
  });

  it.each(['MA*=', 'MAA', 'M=A=', ''])(
    "refuses a block whose body isn't base64 once it is read: %j",
    (body) => {
      const [found] = splitPem(block('CERTIFICATE', body));
      expect(() => found?.der).toThrow("isn't base64");
    },
  );

  it('passes over what nobody asked for without reading it', () => {
    const others = `${block('PRIVATE KEY', '***')}-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n`;
    expect(objectsIn(others + block('CERTIFICATE', 'MAA='), 'certificate')).toHaveLength(1);
  });

  it.each(['x.509 certificate', 'X-MY.CERT', 'OpenVPN Static key V1', '!'])(
    'takes any label that RFC 7468 allows: %s',
    (label) => {
      expect(splitPem(block(label, 'MAA='))[0]?.label).toBe(label);
    },
  );

  it('reads the headers of old encrypted keys', () => {
    const [found] = splitPem(
      block('RSA PRIVATE KEY', 'Proc-Type: 4,ENCRYPTED\nDEK-Info: DES-CBC,00FF\n\nMAA='),
    );
    expect(found?.headers).toEqual({ 'Proc-Type': '4,ENCRYPTED', 'DEK-Info': 'DES-CBC,00FF' });
    expect(found?.der.toString('hex')).toBe('3000');
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
    const object = objectIn(der, 'certificate');
    der[1] = 9;
    expect(object.der.toString('hex')).toBe('3000');
  });

  it('refuses inputs without the object asked for, or with two of them', () => {
    const lists = block('CRL', 'MAA=') + block('CRL', 'MAA=');
    expect(() => objectIn(block('X509 CRL', 'MAA='), 'certificate')).toThrow(
      'it holds a revocation list ("X509 CRL"), not a certificate',
    );
    expect(() => objectIn(lists, 'revocation list')).toThrow('2 revocation lists instead of one');
    const store = Buffer.from('3009020103300406000400', 'hex');
    expect(() => objectIn(store, 'certificate')).toThrow('it holds PKCS#12 (.p12, .pfx), not a certificate');
    expect(() => objectIn('', 'certificate')).toThrow(MalformedDerError);
    expect(() => objectIn(undefined as unknown as string, 'certificate')).toThrow('not undefined');
  });
});
