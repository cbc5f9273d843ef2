import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CertificateError } from '../errors.js';
import { addressBytes, canonicalAddress, parseName, parseNames } from './names.js';

describe('a name', () => {
  it.each([
    ['localhost', 'dns', 'localhost'],
    ['WWW.Example.COM.', 'dns', 'www.example.com'],
    ['*.bücher.example', 'dns', '*.xn--bcher-kva.example'],
    ['_service.example', 'dns', '_service.example'],
    ['127.0.0.1', 'ip', '127.0.0.1'],
    ['2001:DB8:0:0:0:0:0:1', 'ip', '2001:db8::1'],
    ['[::1]', 'ip', '::1'],
    ['::ffff:192.0.2.1', 'ip', '::ffff:c000:201'],
    ['spiffe://example.org/ns/a', 'uri', 'spiffe://example.org/ns/a'],
    ['https://example.org/?x=1', 'uri', 'https://example.org/?x=1'],
    ['Ann.O@Bücher.example', 'email', 'Ann.O@xn--bcher-kva.example'],
  ])('%s is a name of kind %s', (text, kind, value) => {
    expect(parseName(text)).toEqual({ kind, value });
  });

  it.each([
    '',
    '*',
    'a.*.example',
    'w*.example',
    'has space.example',
    '-a.example',
    'a..example',
    `${'a'.repeat(64)}.example`,
    `${'a.'.repeat(130)}example`,
    '1.2.3',
    '256.0.0.1',
    '0x7f.1',
    'fe80::1%eth0',
    'spiffe://Example.org/a',
    'spiffe://example.org/a/../b',
    'spiffe://example.org/a?b',
    'http://exa mple/',
    'https://example.org/a\\..\\b',
    'https://example.org/"',
    'a@*.example.org',
    '@example.org',
    'a@b@',
    'ü@example.org',
    'a.example/b',
  ])('refuses "%s"', (text) => {
    expect(() => parseName(text)).toThrow(CertificateError);
  });

  it('comes once, however it is written', () => {
    expect(parseNames(['A.test', 'a.test.', '::1', '[0:0:0:0:0:0:0:1]']).map(({ value }) => value)).toEqual([
      'a.test',
      '::1',
    ]);
  });

  it('is a name or a typed error, whatever the text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.domain(), fc.ipV4(), fc.ipV6(), fc.emailAddress()), (text) => {
        try {
          expect(parseName(parseName(text).value)).toEqual(parseName(text));
        } catch (error) {
          expect(error).toBeInstanceOf(CertificateError);
        }
      }),
    );
  });

  it('keeps every address through its bytes', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (address) => {
        const canonical = canonicalAddress(address) ?? '';
        const bytes = addressBytes(canonical);
        const shown =
          bytes.length === 4 ? [...bytes].join('.') : bytes.toString('hex').replace(/....(?=.)/g, '$&:');
        expect(canonicalAddress(shown)).toBe(canonical);
      }),
    );
  });
});
