/** PKCS#12 files, opened into what the rest of the library reads. */
import { CredentialsError } from '../errors/index.js';

export function readPkcs12(
  _pfx: Uint8Array,
  _passphrase: string | undefined,
  file: string | undefined,
): { cert: string; key: string } {
  throw new CredentialsError('unsupported', 'PKCS#12 is not read yet', { file });
}
