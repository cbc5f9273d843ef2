import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readIdentifiers, serverNameOf } from './identifier.js';

it('reads DNS names and IP addresses, in their canonical form and once', () => {
  expect(
    readIdentifiers(['A.example', 'a.example.', 'Bücher.example', '192.0.2.1', '[2001:DB8::1]']),
  ).toEqual([
    { type: 'dns', value: 'a.example' },
    { type: 'dns', value: 'xn--bcher-kva.example' },
    { type: 'ip', value: '192.0.2.1' },
    { type: 'ip', value: '2001:db8::1' },
  ]);
});

it.each([
  ['a wildcard', ['*.example'], 'dns-01'],
  ['a URI', ['https://a.example'], 'neither'],
  ['an e-mail address', ['a@b.example'], 'neither'],
  ['no name', [], '1 to 100'],
  ['too many names', Array.from({ length: 101 }, (_, index) => `n${index}.example`), '1 to 100'],
])('refuses %s', (_what, domains, why) => {
  expect(() => readIdentifiers(domains)).toThrow(
    expect.objectContaining({
      code: 'KNSOCK_CERTIFICATE_NAME',
      message: expect.stringContaining(why) as string,
    }),
  );
});

it('names an address in a handshake as its reverse look-up does (RFC 8738)', () => {
  const named = (value: string) => serverNameOf({ type: 'ip', value });
  expect(named('192.0.2.1')).toBe('1.2.0.192.in-addr.arpa');
  expect(named('2001:db8::1')).toBe(
    '1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa',
  );
});

it('has 32 nibbles for every IPv6 address', () => {
  fc.assert(
    fc.property(fc.ipV6(), (text) => {
      const [identifier] = readIdentifiers([text]);
      expect(serverNameOf(identifier ?? { type: 'ip', value: '' })).toMatch(/^([0-9a-f]\.){32}ip6\.arpa$/);
    }),
  );
});
