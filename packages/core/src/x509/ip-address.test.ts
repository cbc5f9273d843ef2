import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseIp, showIp } from './ip-address.js';

describe('IP addresses', () => {
  it.each([
    ['192.0.2.1', 'c0000201'],
    ['::', '00'.repeat(16)],
    ['::1', `${'00'.repeat(15)}01`],
    ['[2001:db8::1]', '20010db8000000000000000000000001'],
    ['2001:DB8:0:0:8:800:200C:417A', '20010db80000000000080800200c417a'],
    ['::ffff:192.0.2.1', '00000000000000000000ffffc0000201'],
    ['1:2:3:4:5:6:7::', '00010002000300040005000600070000'],
  ])('reads %s', (text, hex) => {
    expect(parseIp(text)?.toString('hex')).toBe(hex);
  });

  it.each([
    '192.0.2',
    '192.0.2.01',
    '0xc0.0.2.1',
    '3221225985',
    '[192.0.2.1]',
    'fe80::1%eth0',
    '1::2::3',
    ':::',
    '',
    'example.com',
  ])('takes %j for no address', (text) => {
    expect(parseIp(text)).toBeUndefined();
  });

  it.each([
    ['20010db8000000000000000000000001', '2001:db8::1'],
    ['20010db8000000010001000100010001', '2001:db8:0:1:1:1:1:1'],
    ['20010000000000010000000000000001', '2001:0:0:1::1'],
    ['00010000000000020000000000030004', '1::2:0:0:3:4'],
    ['00'.repeat(16), '::'],
  ])('shows %s as RFC 5952 writes it: %s', (hex, text) => {
    expect(showIp(Buffer.from(hex, 'hex'))).toBe(text);
  });

  it('reads what it shows, and shows any spelling alike', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 16, maxLength: 16 }),
        (bytes) => parseIp(showIp(bytes))?.equals(bytes) === true,
      ),
    );
    fc.assert(fc.property(fc.ipV6(), (text) => parseIp(text)?.length === 16));
    fc.assert(fc.property(fc.ipV4(), (text) => showIp(parseIp(text) as Buffer) === text));
  });
});
