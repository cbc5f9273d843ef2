/** Netscape's certificate type: obsolete, written by easy-rsa and old openssl.cnf, and enforced by OpenSSL. */
import type { DerReader } from './der.js';

const bitNames = [
  'SSL client',
  'SSL server',
  'S/MIME',
  'object signing',
  'reserved',
  'SSL CA',
  'S/MIME CA',
  'object signing CA',
] as const;

/** What a certificate is for by Netscape's extension. */
export type NetscapeUse = (typeof bitNames)[number];

/** Reads the extension: the names of the bits that are set. As with OpenSSL, none may be: then nothing is allowed. */
export function readNetscapeCertType(reader: DerReader): ReadonlySet<NetscapeUse> {
  const [byte = 0] = reader.bitString('Netscape certificate type').bytes;
  return new Set(bitNames.filter((_, bit) => (byte & (0x80 >> bit)) !== 0));
}
