/** Whether a private key belongs to a certificate. */
import type { KeyObject } from 'node:crypto';
import { parseCertificates, type X509Certificate } from '@knsock/core/x509';
import { fromCore } from '../files/from-core.js';
import { publicKeyDer, readPrivateKey } from './keys.js';

/**
 * Whether the key belongs to the certificate, in a file the first one.
 * @param passphrase Decrypts the key, if it is encrypted.
 * @throws CertificateError if one of them can't be read.
 */
export function keyMatches(
  certificate: string | Uint8Array,
  key: string | Uint8Array,
  passphrase?: string,
): boolean {
  const [first] = fromCore(() => parseCertificates(certificate));
  return certificateFits(first as X509Certificate, readPrivateKey(key, passphrase));
}

/** The same with a certificate and a key that were read already. */
export function certificateFits({ publicKeyInfo }: X509Certificate, key: KeyObject): boolean {
  return publicKeyInfo.der.equals(publicKeyDer(key));
}
