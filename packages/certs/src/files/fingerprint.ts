/** Fingerprints: short names of certificates and keys. */
import { createHash } from 'node:crypto';
import { checkOptions } from '@knsock/core/options';
import { openingReaders, readCertificates, type Source, type SourceOpening } from './source.js';

/** The names of one certificate. */
export interface Fingerprints {
  /** SHA-256 of the certificate, lower-case hex. */
  readonly sha256: string;
  /** The same as openssl and browsers show it: `AA:BB:…`. */
  readonly colons: string;
  /** SHA-256 of the public key, `sha256/…`: what core's `pins` and `spkiPins` take. It outlives a renewal that keeps the key. */
  readonly spkiPin: string;
}

/**
 * The fingerprints of the first certificate of a source, or of the key's in a PKCS#12 file.
 * @throws CertificateError where there is none.
 */
export async function fingerprint(certificate: Source, opening: SourceOpening = {}): Promise<Fingerprints> {
  checkOptions(opening, openingReaders);
  const [first] = await readCertificates(certificate, opening);
  const sha256 = first?.fingerprint256 ?? '';
  return { sha256, colons: withColons(sha256), spkiPin: first?.spkiPin ?? '' };
}

/** Hex as openssl shows it. */
export function withColons(hex: string): string {
  return hex.toUpperCase().replace(/..(?=.)/g, '$&:');
}

/** SHA-256 of DER, lower-case hex. */
export function hexFingerprint(der: Uint8Array): string {
  return createHash('sha256').update(der).digest('hex');
}

/** The pin of a public key's DER (SubjectPublicKeyInfo). */
export function pinOf(publicKeyInfo: Uint8Array): string {
  return `sha256/${createHash('sha256').update(publicKeyInfo).digest('base64')}`;
}
