import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32c } from './crc32c.js';
import { PROXY_SIGNATURE, readProxyHeader } from './proxy-header.js';
import { writeProxyHeader, type ProxyHeader } from './proxy-header-writer.js';

const ipv4: ProxyHeader = {
  source: { address: '192.0.2.7', port: 51_234 },
  destination: { address: '198.51.100.1', port: 443 },
};
const ipv6: ProxyHeader = {
  source: { address: '2001:db8::7', port: 51_234 },
  destination: { address: '2001:db8::1', port: 443 },
};

/** A version 2 header, assembled by hand. */
function binary(command: number, family: number, body: Buffer): Buffer {
  return Buffer.concat([
    PROXY_SIGNATURE,
    Buffer.from([command, family, body.length >> 8, body.length & 0xff]),
    body,
  ]);
}

describe('the PROXY header', () => {
  it.each([
    ['version 1, IPv4', { ...ipv4, version: 1 }],
    ['version 1, IPv6', { ...ipv6, version: 1 }],
    ['version 2, IPv4', { ...ipv4, version: 2 }],
    ['version 2, IPv6', { ...ipv6, tlvs: [{ type: 0xe0, value: Buffer.from('here') }] }],
  ] as const)('reads what it writes: %s', (_what, header: ProxyHeader) => {
    const bytes = writeProxyHeader(header);
    const { source, destination, version = 2, tlvs = [] } = header;
    expect(readProxyHeader(Buffer.concat([bytes, Buffer.from('rest')]))).toEqual({
      length: bytes.length,
      info: { version, source, destination, tlvs },
    });
  });

  it('waits for every byte of it', () => {
    for (const bytes of [writeProxyHeader({ ...ipv4, version: 1 }), writeProxyHeader(ipv6)]) {
      for (let length = 1; length < bytes.length; length += 1)
        expect(readProxyHeader(bytes.subarray(0, length))).toBeNull();
    }
  });

  it("reads no client where a proxy connects for itself, or doesn't know the client", () => {
    const unknown = { source: null, destination: null, tlvs: [] };
    const line = Buffer.from('PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n');
    expect(readProxyHeader(line)?.info).toEqual({ version: 1, ...unknown });
    const local = binary(0x20, 0x11, Buffer.alloc(12));
    expect(readProxyHeader(local)?.info).toEqual({ version: 2, ...unknown });
  });

  it('reads the extensions after addresses of Unix sockets, and without addresses', () => {
    const tlv = Buffer.from([0xe1, 0, 2, 7, 8]);
    const tlvs = [{ type: 0xe1, value: Buffer.from([7, 8]) }];
    const unix = binary(0x21, 0x31, Buffer.concat([Buffer.alloc(216), tlv]));
    expect(readProxyHeader(unix)?.info).toEqual({ version: 2, source: null, destination: null, tlvs });
    const none = binary(0x21, 0x00, tlv);
    expect(readProxyHeader(none)?.info).toEqual({ version: 2, source: null, destination: null, tlvs });
  });

  it('checks the checksum where there is one', () => {
    // The check value of CRC-32C, as in CRC catalogues.
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe306_9283);
    const blank = { type: 3, value: Buffer.alloc(4) };
    const header = writeProxyHeader({ ...ipv4, tlvs: [blank, { type: 5, value: Buffer.from('id') }] });
    expect(() => readProxyHeader(header)).toThrow(/checksum/);
    header.writeUInt32BE(crc32c(header), 16 + 12 + 3);
    expect(readProxyHeader(header)?.info.tlvs).toHaveLength(2);
    header[20] = 1;
    expect(() => readProxyHeader(header)).toThrow(/checksum/);
  });

  it.each([
    ['no header', Buffer.from('GET / HTTP/1.1\r\n'), /no PROXY header/],
    ['a line without an end', Buffer.from(`PROXY TCP4 ${'1'.repeat(100)}`), /doesn't end/],
    ['addresses of another family', Buffer.from('PROXY TCP4 ::1 ::2 1 2\r\n'), /addresses/],
    ['an invalid port', Buffer.from('PROXY TCP4 1.2.3.4 1.2.3.5 70000 2\r\n'), /port/],
    ['a port with a zero before it', Buffer.from('PROXY TCP4 1.2.3.4 1.2.3.5 01 2\r\n'), /port/],
    ['something behind the line', Buffer.from('PROXY TCP4 1.2.3.4 1.2.3.5 1 2 3\r\n'), /addresses/],
    ['another version', binary(0x31, 0x11, Buffer.alloc(12)), /version/],
    ['another command', binary(0x22, 0x11, Buffer.alloc(12)), /command/],
    ['addresses cut short', binary(0x21, 0x21, Buffer.alloc(12)), /cut short/],
    ['an extension cut short', binary(0x21, 0x11, Buffer.alloc(14)), /cut short/],
    ['a body over the limit', binary(0x21, 0x11, Buffer.alloc(5_000)), /limit/],
  ])('refuses %s', (_what, bytes, why) => {
    expect(() => readProxyHeader(bytes)).toThrow(why);
  });

  it.each([
    ['a name', { ...ipv4, source: { address: 'localhost', port: 1 } }],
    ['two families', { ...ipv4, source: ipv6.source }],
    ['a zone', { ...ipv6, source: { address: 'fe80::1%eth0', port: 1 } }],
    ['a port over 65,535', { ...ipv4, source: { address: '192.0.2.7', port: 70_000 } }],
    ['extensions on version 1', { ...ipv4, version: 1, tlvs: [{ type: 1, value: Buffer.alloc(1) }] }],
    ['a type over 255', { ...ipv4, tlvs: [{ type: 256, value: Buffer.alloc(1) }] }],
    ['too much', { ...ipv4, tlvs: [{ type: 1, value: Buffer.alloc(5_000) }] }],
    ['another version', { ...ipv4, version: 3 }],
  ])('writes no header with %s', (_what, header) => {
    expect(() => writeProxyHeader(header as ProxyHeader)).toThrow(
      expect.objectContaining({ code: 'KNSOCK_INVALID_OPTION', option: 'proxyHeader' }),
    );
  });

  it.each([1, 2] as const)('states in version %i that a proxy connects for itself', (version) => {
    const bytes = writeProxyHeader({ source: null, destination: null, version });
    const info = { version, source: null, destination: null, tlvs: [] };
    expect(readProxyHeader(bytes)).toEqual({ info, length: bytes.length });
  });

  it('throws nothing but ProtocolError, for any bytes', () => {
    const valid = fc.constantFrom(
      writeProxyHeader({ ...ipv4, version: 1 }),
      writeProxyHeader(ipv4),
      writeProxyHeader({ ...ipv6, tlvs: [{ type: 5, value: Buffer.alloc(40) }] }),
    );
    const damaged = fc
      .tuple(valid, fc.array(fc.tuple(fc.nat(80), fc.integer({ min: 0, max: 255 })), { maxLength: 4 }))
      .map(([bytes, changes]) => {
        const copy = Buffer.from(bytes);
        for (const [at, value] of changes) if (at < copy.length) copy[at] = value;
        return copy;
      });
    fc.assert(
      fc.property(
        fc.oneof(
          damaged,
          fc.uint8Array({ minLength: 1 }).map((bytes) => Buffer.from(bytes)),
        ),
        (bytes) => {
          try {
            const header = readProxyHeader(bytes);
            if (header !== null) expect(header.length).toBeLessThanOrEqual(bytes.length);
          } catch (error) {
            expect(error).toMatchObject({ code: 'KNSOCK_PROXY_HEADER' });
          }
        },
      ),
      { numRuns: 2_000 },
    );
  });
});
