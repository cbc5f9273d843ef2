/** Folders of certificates: selects the files to check. */
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { filesBelow } from '@knsock/core/options';
import { isCode } from '../files/atomic-file.js';

/** The files below a folder that look like certificates and lists by their names, in order. */
export function listFolder(folder: string): Promise<string[]> {
  return filesBelow(folder, /\.(crt|pem|cer|der|p7b|p7c|p12|pfx|jks|keystore|crl)$/i);
}

/** A key, by its name, that this user may not read: checking dates doesn't need it. */
export async function isHiddenKey(file: string): Promise<boolean> {
  return KEY_NAME.test(basename(file)) && !(await isReadable(file)) && !(await isFolder(file));
}

/** `privkey.pem`, `server-key.pem`, `tls.key.pem` … */
const KEY_NAME = /(^|[-_.]|priv|private)key([-_.]|\d|$)/i;

function isFolder(place: string): Promise<boolean> {
  return stat(place).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

function isReadable(file: string): Promise<boolean> {
  return access(file, constants.R_OK).then(
    () => true,
    (error: unknown) => !isCode(error, 'EACCES') && !isCode(error, 'EPERM'),
  );
}
