/** PKCS#12 files read: strictly by core, and those of old programs here. */
import { CredentialsError } from '@knsock/core/errors';
import { openPkcs12 } from '@knsock/core/x509';
import { CertificateError, type CertificateErrorCode } from '../errors.js';
import { privateKeyPem } from '../keys/keys.js';
import { readOldPkcs12 } from './old-pkcs12.js';
import { toPem } from '../formats/pem.js';
import type { Pkcs12Parts } from './pkcs12-parts.js';

/** A file with a whole trust store in it stays under this. */
const MAX_BYTES = 1_048_576;

/**
 * Reads a PKCS#12 file: AES, and the old triple DES and RC2; MACs of SHA-1 and SHA-2, PBMAC1, or none; DER or BER; at
 * most 1 MiB. Of several keys the first that has its certificate counts.
 * @param passphrase '' opens a file that was made without one.
 * @throws CertificateError `KNSOCK_CERTIFICATE_PASSPHRASE`, `_UNSUPPORTED`, `_MALFORMED` or `_KEY_MISMATCH`.
 */
export async function fromPkcs12(file: Uint8Array, passphrase: string): Promise<Pkcs12Parts> {
  try {
    const { chain, key } = openPkcs12(file, passphrase);
    const pem = chain.map(({ der }) => toPem('CERTIFICATE', der));
    return { key: privateKeyPem(key), certificate: pem[0] ?? '', chain: pem.join('') };
  } catch (cause) {
    if (!(cause instanceof CredentialsError)) throw cause;
    const isOld = ['unsupported', 'garbage'].includes(cause.reason) && file.length <= MAX_BYTES;
    if (isOld) return readOldPkcs12(file, passphrase).catch((error: unknown) => refuse(error, cause));
    return refuse(undefined, cause);
  }
}

const codes: Readonly<Record<string, CertificateErrorCode>> = {
  passphrase: 'KNSOCK_CERTIFICATE_PASSPHRASE',
  unsupported: 'KNSOCK_CERTIFICATE_UNSUPPORTED',
  mismatch: 'KNSOCK_CERTIFICATE_KEY_MISMATCH',
};

/** Where neither reader makes sense of it, core's word says more precisely why. */
function refuse(error: unknown, { reason, message, cause }: CredentialsError): never {
  const isTold = error instanceof CertificateError && error.code !== 'KNSOCK_CERTIFICATE_MALFORMED';
  if (isTold) throw error;
  throw new CertificateError(codes[reason] ?? 'KNSOCK_CERTIFICATE_MALFORMED', message, { cause });
}
