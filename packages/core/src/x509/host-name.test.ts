import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { X509Certificate } from './certificate.js';
import type { GeneralName } from './general-names.js';
import { isDnsName, matchesName, normalizedEmail, parseExpectedName } from './host-name.js';
import { parseIp, showIp } from './ip-address.js';

/** matchesName looks at nothing but the alternative names. */
const withNames = (...subjectAltNames: readonly GeneralName[]): X509Certificate =>
  ({ subjectAltNames }) as unknown as X509Certificate;
const dns = (value: string): GeneralName => ({ kind: 'dns', value });
const ip = (text: string): GeneralName => {
  const bytes = parseIp(text) as Buffer;
  return { kind: 'ip', value: showIp(bytes), bytes };
};

describe('matching a name', () => {
  it.each([
    ['example.com', 'example.com'],
    ['EXAMPLE.com', 'example.COM'],
    ['example.com', 'example.com.'],
    ['*.example.com', 'a.example.com'],
    ['*.example.com', 'xn--nxasmq6b.example.com'],
    ['my_service', 'my_service'],
    ['localhost', 'localhost'],
    ['xn--bcher-kva.example', 'bücher.example'],
    ['xn--bcher-kva.example', 'BÜCHER.example'],
    ['xn--bcher-kva.example', 'bücher。example'],
  ])('takes %s for %s', (pattern, name) => {
    expect(matchesName(withNames(dns(pattern)), name)).toBe(true);
  });

  it.each([
    ['example.com', 'example.org'],
    ['example.com', 'a.example.com'],
    ['a.example.com', 'example.com'],
    ['*.example.com', 'example.com'],
    ['*.example.com', '.example.com'],
    ['*.example.com', 'a.b.example.com'],
    ['example.com', 'example.com/ü'],
    ['example.com', 'example.com?ü.trusted.test'],
    ['example.com', 'example.com#ü'],
    ['example.com', 'example.com\\ü'],
    ['xn--exmple-cua.com', 'ex\tämple.com'],
    ['xn--exmple-cua.com', 'exämple%2ecom'],
    ['*.com', 'example.com'],
    ['*', 'localhost'],
    ['*.', 'localhost.'],
    ['*.*.example.com', 'a.b.example.com'],
    ['a.*.example.com', 'a.b.example.com'],
    ['a*.example.com', 'ab.example.com'],
    ['*b.example.com', 'ab.example.com'],
    ['xn--*.example.com', 'xn--a.example.com'],
    ['.example.com', 'a.example.com'],
    ['example.com.', 'example.com'],
    ['example.com\0.evil.org', 'example.com'],
    ['example.com', 'example.com\0.evil.org'],
    ['example.com', ''],
    ['example.com', '.'],
    ['example.com', 'example.com..'],
    ['example.com', '*.com'],
    ['*.example.com', '*.example.com'],
    ['192.0.2.1', '192.0.2.1'],
    ['127.0.0.1', '0x7f.1'],
  ])('refuses %j for %j', (pattern, name) => {
    expect(matchesName(withNames(dns(pattern)), name)).toBe(false);
  });

  it('compares addresses as bytes, and with IP names only', () => {
    expect(matchesName(withNames(ip('2001:db8::1')), '2001:DB8:0:0:0:0:0:1')).toBe(true);
    expect(matchesName(withNames(ip('2001:db8::1')), '[2001:db8::1]')).toBe(true);
    expect(matchesName(withNames(ip('192.0.2.1')), '192.0.2.1')).toBe(true);
    expect(matchesName(withNames(ip('192.0.2.1')), '::ffff:192.0.2.1')).toBe(false);
    expect(matchesName(withNames(ip('192.0.2.1')), '192.0.2.2')).toBe(false);
  });

  it('compares e-mail addresses and URIs with names of their kind', () => {
    const names = withNames(
      { kind: 'email', value: 'Ann@Example.com' },
      { kind: 'uri', value: 'spiffe://a/b' },
    );
    expect(matchesName(names, 'Ann@EXAMPLE.com')).toBe(true);
    expect(matchesName(names, 'ann@example.com')).toBe(false);
    expect(matchesName(names, 'spiffe://a/b')).toBe(true);
    expect(matchesName(names, 'spiffe://a/B')).toBe(false);
  });

  it('looks at every alternative name, and at nothing else', () => {
    expect(matchesName(withNames(dns('a.test'), ip('::1'), dns('b.test')), 'b.test')).toBe(true);
    expect(matchesName(withNames(), 'a.test')).toBe(false);
  });

  it('matches a plain name exactly with itself, whatever the name', () => {
    const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?$/);
    const name = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => `${labels.join('.')}.test`);
    fc.assert(fc.property(name, name, (a, b) => matchesName(withNames(dns(a)), b) === (a === b)));
  });

  it('never throws, whatever the name', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        (name) => typeof matchesName(withNames(dns('a.test')), name) === 'boolean',
      ),
    );
  });
});

describe('names', () => {
  it('are distinguished by their form', () => {
    expect(parseExpectedName('[::1]')).toEqual({ kind: 'ip', value: '::1' });
    expect(parseExpectedName('https://a.test/')?.kind).toBe('uri');
    expect(parseExpectedName('a@b.test')?.kind).toBe('email');
    expect(parseExpectedName('a.test')?.kind).toBe('dns');
    expect(parseExpectedName('not a name')).toBeUndefined();
  });

  it('have labels of at most 63 letters and 253 in all', () => {
    expect(isDnsName('a'.repeat(63))).toBe(true);
    expect(isDnsName('a'.repeat(64))).toBe(false);
    expect(isDnsName(`${'a'.repeat(62)}.`.repeat(4) + 'a')).toBe(true);
    expect(isDnsName(`${'a'.repeat(62)}.`.repeat(4) + 'ab')).toBe(false);
    expect(isDnsName('-a.test')).toBe(false);
    expect(isDnsName('a_b.test')).toBe(false);
    expect(isDnsName('10.0.0.1')).toBe(false);
  });

  it('of mailboxes have one @ and a host after it', () => {
    expect(normalizedEmail('a@b@c.test')).toBeUndefined();
    expect(normalizedEmail('@c.test')).toBeUndefined();
    expect(normalizedEmail('a@')).toBeUndefined();
    expect(normalizedEmail('*@C.test')).toBe('*@c.test');
  });
});
