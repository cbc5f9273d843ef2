/** Fingerprints: short names of certificates and keys. */
import { createHash } from 'node:crypto';

/** SHA-256 of DER, as `AA:BB:…`. */
export function colonFingerprint(der: Uint8Array): string {
  const hex = createHash('sha256').update(der).digest('hex').toUpperCase();
  return hex.replace(/..(?=.)/g, '$&:');
}
