/** The names of a certificate as ACME has them (RFC 8555 §9.7.7, RFC 8738). */
import { isIP } from 'node:net';
import { CertificateError } from '../errors.js';
import { addressBytes, parseNames } from '../issuing/names.js';

export interface Identifier {
  readonly type: 'dns' | 'ip';
  readonly value: string;
}

/** RFC 8555 sets no limit; Let's Encrypt takes 100. */
const MOST = 100;

/**
 * Reads names: international ones become A-labels, addresses their shortest form.
 * @throws CertificateError `KNSOCK_CERTIFICATE_NAME` for names that no challenge here can prove
 */
export function readIdentifiers(domains: readonly string[]): Identifier[] {
  const names = parseNames(domains);
  if (names.length === 0 || names.length > MOST)
    throw refuse(`a certificate is for 1 to ${MOST} names, not for ${names.length}`);
  return names.map(({ kind, value }) => {
    if (value.startsWith('*.'))
      throw refuse(
        `"${value}" can be certified by the challenge dns-01 alone, which isn't supported`,
        'Order each name by itself, or have certbot or lego get the wildcard and let watchCredentials follow their files.',
      );
    if (kind === 'dns' || kind === 'ip') return { type: kind, value };
    throw refuse(
      `"${value}" is neither a DNS name nor an IP address`,
      'Write the name alone: db.example.com.',
    );
  });
}

/** The name that a CA sends in its handshake (RFC 8737 §3, RFC 8738 §6: the name of the reverse look-up). */
export function serverNameOf({ type, value }: Identifier): string {
  if (type === 'dns') return value;
  const bytes = [...addressBytes(value)].reverse();
  if (isIP(value) === 4) return `${bytes.join('.')}.in-addr.arpa`;
  const nibbles = bytes.flatMap((byte) => [byte & 15, byte >> 4]);
  return `${nibbles.map((nibble) => nibble.toString(16)).join('.')}.ip6.arpa`;
}

function refuse(message: string, hint?: string): CertificateError {
  return new CertificateError('KNSOCK_CERTIFICATE_NAME', message, hint === undefined ? {} : { hint });
}
