/** Fingerprints: short names of certificates and keys. */
import { createHash } from 'node:crypto';

/** SHA-256 of DER, lower-case hex. */
export function hexFingerprint(der: Uint8Array): string {
  return createHash('sha256').update(der).digest('hex');
}
