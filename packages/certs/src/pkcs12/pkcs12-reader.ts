/** Reads PKCS#12 files with core. */
import { arrangePkcs12, readPkcs12OffThread, type Pkcs12Contents } from '@knsock/core/x509';
import { asCertificateError, fromCore } from '../files/from-core.js';
import { toPem } from '../files/pem.js';
import { privateKeyPem } from '../keys/keys.js';
import type { Pkcs12Parts } from './pkcs12-parts.js';

/**
 * Reads a PKCS#12 file made by any program: AES, Camellia, and the old triple DES, DES and RC2; MACs of SHA-1 and SHA-2, PBMAC1,
 * or none; DER or BER; at most 1 MiB and 8 million rounds of key derivation, which run off the main thread.
 * @param passphrase '' for a file without one.
 * @param keyName Friendly name of the key, if there are several; default the first that has its certificate.
 * @throws CertificateError `KNSOCK_CERTIFICATE_PASSPHRASE`, `_UNSUPPORTED`, `_MALFORMED` or `_KEY_MISMATCH`.
 */
export async function fromPkcs12(
  file: Uint8Array,
  passphrase: string,
  keyName?: string,
): Promise<Pkcs12Parts> {
  const contents = await readPkcs12(file, passphrase);
  const { chain, key } = fromCore(() => arrangePkcs12(contents, keyName));
  const pem = chain.map(({ der }) => toPem('CERTIFICATE', der));
  return { key: privateKeyPem(key), certificate: pem[0] ?? '', chain: pem.join('') };
}

/** The whole contents, in the file's order; errors as `fromPkcs12`. */
export async function readPkcs12(file: Uint8Array, passphrase: string | undefined): Promise<Pkcs12Contents> {
  try {
    return await readPkcs12OffThread(file, passphrase);
  } catch (error) {
    throw asCertificateError(error);
  }
}
