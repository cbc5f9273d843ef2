/** PKCS#12 files, opened into what the rest of the library reads. */
import { CredentialsError } from '../errors/index.js';
import { openPkcs12 } from '../x509/pkcs12/open.js';

/**
 * The leaf and its issuers, and the key, as PEM.
 * @throws CredentialsError as `openPkcs12` does, with the file's name
 */
export function readPkcs12(
  pfx: Uint8Array,
  passphrase: string | undefined,
  file: string | undefined,
): { cert: string; key: string } {
  try {
    const { chain, key } = openPkcs12(pfx, passphrase);
    return {
      cert: chain.map(({ pem }) => pem).join(''),
      key: key.export({ type: 'pkcs8', format: 'pem' }) as string,
    };
  } catch (error) {
    if (!(error instanceof CredentialsError) || file === undefined) throw error;
    const { reason, message, hint, cause } = error;
    throw new CredentialsError(reason, `${file}: ${message}`, { file, hint, cause });
  }
}
