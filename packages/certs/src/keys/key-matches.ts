/** Whether a private key is a certificate's. */
import type { KeyObject } from 'node:crypto';
import { parseCertificate } from '@knsock/core/x509';
import { CertificateError } from '../errors.js';
import { publicKeyDer, readPrivateKey } from './keys.js';
import { derOf } from '../formats/pem.js';

/**
 * Whether the key is the one that the certificate was made for: the first certificate of a PEM text, or DER.
 * @param key PEM or DER.
 * @param passphrase Opens the key where it is encrypted.
 * @throws CertificateError where one of them can't be read.
 */
export function keyMatches(
  certificate: string | Uint8Array,
  key: string | Uint8Array,
  passphrase?: string,
): boolean {
  const der = derOf(certificate, /^(X509 |TRUSTED )?CERTIFICATE$/, 'certificate');
  return certificateFits(der, readPrivateKey(key, passphrase));
}

/** The same with a certificate's DER and a key that was read already. */
export function certificateFits(der: Buffer, key: KeyObject): boolean {
  try {
    return publicKeyDer(parseCertificate(der).publicKey).equals(publicKeyDer(key));
  } catch (cause) {
    throw new CertificateError('KNSOCK_CERTIFICATE_MALFORMED', 'that is not a certificate', { cause });
  }
}
