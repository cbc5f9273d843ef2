/** Folders of certificates: selects the files to check. */
import { constants } from 'node:fs';
import { access, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { fileError, isCode } from '../files/atomic-file.js';

/** The files below a folder that look like certificates and lists by their names, in order. */
export async function listFolder(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((cause: unknown) => {
    throw fileError(folder, 'read', cause);
  });
  const places = entries
    .filter((entry) => !entry.isDirectory() && /\.(crt|pem|cer|der|p7b|p7c|crl)$/i.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((place) => !isLeftOut(folder, place));
  const isOther = await Promise.all(places.map(leadsToNoFile));
  return places.filter((_, index) => isOther[index] !== true).sort();
}

/** Pending and temporary files start with a dot, as do the versions behind a Kubernetes volume's links. */
function isLeftOut(folder: string, path: string): boolean {
  const parts = relative(folder, path).split(sep);
  if (parts.some((part) => part.startsWith('.'))) return true;
  return parts.length > 1 && dirname(resolve(path)).endsWith(join(sep, 'issued', 'serials'));
}

/** A broken link is reported; a link to a folder isn't followed, and reading a pipe could block for ever. */
async function leadsToNoFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => !found.isFile(),
    () => false,
  );
}

/** A key, by its name, that this user may not read: checking dates doesn't need it. */
export async function isHiddenKey(file: string): Promise<boolean> {
  return KEY_NAME.test(basename(file)) && !(await isReadable(file));
}

/** `privkey.pem`, `server-key.pem`, `tls.key.pem` … */
const KEY_NAME = /(^|[-_.]|priv|private)key([-_.]|\d|$)/i;

function isReadable(file: string): Promise<boolean> {
  return access(file, constants.R_OK).then(
    () => true,
    (error: unknown) => !isCode(error, 'EACCES') && !isCode(error, 'EPERM'),
  );
}
