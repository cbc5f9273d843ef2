/**
 * Certificates as EST sends them: a PKCS#7 message without signatures (RFC 5652 5.1, RFC 7030 4.1.3), in base64 without
 * line ends (RFC 4648 3.1), which strongSwan's decoder takes for digits.
 */
import type { X509Certificate } from '@knsock/core/x509';

const SIGNED_DATA = Buffer.from('06092a864886f70d010702', 'hex');
const DATA = Buffer.from('06092a864886f70d010701', 'hex');
const VERSION_1 = Buffer.from('020101', 'hex');

export function certsOnly(certificates: readonly X509Certificate[]): string {
  const all = tagged(0xa0, ...certificates.map(({ der }) => der));
  const signed = tagged(0x30, VERSION_1, tagged(0x31), tagged(0x30, DATA), all, tagged(0x31));
  const message = tagged(0x30, SIGNED_DATA, tagged(0xa0, signed));
  return message.toString('base64');
}

function tagged(tag: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag]), lengthOf(body.length), body]);
}

function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const digits = Buffer.alloc(4);
  digits.writeUInt32BE(length);
  const bytes = digits.subarray(digits.findIndex((byte) => byte !== 0));
  return Buffer.concat([Buffer.from([0x80 | bytes.length]), bytes]);
}
