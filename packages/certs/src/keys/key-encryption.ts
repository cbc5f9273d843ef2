/** Private keys encrypted with a passphrase: PKCS#8 with PBES2 (RFC 5958, RFC 8018). */
import { CertificateError } from '../errors.js';
import { openPrivateKey, readPrivateKey } from './keys.js';
import { encryptByPassphrase } from './pbe.js';
import { toPem } from '../files/pem.js';
import { arrayBufferOf, pkcs12Library, type Pkcs12Library } from '../x509.js';

/** Rounds of PBKDF2 with HMAC-SHA-256: a guess costs about 0.2 s. node:crypto uses 2,048 by default. */
const KEY_ITERATIONS = 600_000;

/** Encrypts a private key; both sides are PEM. */
export async function encryptKey(pem: string, passphrase: string): Promise<string> {
  const library = await pkcs12Library();
  const der = (await openPrivateKey(pem)).export({ type: 'pkcs8', format: 'der' });
  const info = await shroudKey(library, der, passphrase, KEY_ITERATIONS);
  return toPem('ENCRYPTED PRIVATE KEY', library.encode(info));
}

/** Whether a private key, PEM, can't be read without a passphrase, in whichever form it is encrypted. */
export function isEncryptedKey(pem: string): boolean {
  try {
    readPrivateKey(pem, undefined, 'any');
    return false;
  } catch (error) {
    return error instanceof CertificateError && error.code === 'KNSOCK_CERTIFICATE_PASSPHRASE';
  }
}

/** EncryptedPrivateKeyInfo of a PKCS#8 key. */
export async function shroudKey(
  library: Pkcs12Library,
  der: Uint8Array,
  passphrase: string,
  iterations: number,
) {
  const { algorithm, encrypted } = await encryptByPassphrase(library, der, passphrase, iterations);
  const encryptedData = new library.EncryptedData(arrayBufferOf(encrypted));
  return new library.EncryptedPrivateKeyInfo({ encryptionAlgorithm: algorithm, encryptedData });
}
