/** Tells a store without a file from a store that is gone: moved, or not mounted. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileError, isCode } from '../files/atomic-file.js';
import { CertificateError } from '../errors.js';

const HINT = 'Was it moved or unmounted? Bring it back, or give the path of a store.';

/**
 * Looks for the folder that every store has from the beginning, and an empty mount point hasn't.
 * @throws CertificateError `KNSOCK_CERTIFICATE_STORE`, or `_FILE` where it can't be looked at.
 */
export async function requireStore(directory: string): Promise<void> {
  const folder = join(directory, 'ca');
  try {
    await stat(folder);
  } catch (cause) {
    if (!isCode(cause, 'ENOENT')) throw fileError(folder, 'read', cause);
    const message = `there is no store in ${directory}`;
    throw new CertificateError('KNSOCK_CERTIFICATE_STORE', message, { cause, file: folder, hint: HINT });
  }
}
