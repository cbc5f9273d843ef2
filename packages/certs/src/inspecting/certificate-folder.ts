/** Folders of certificates as people keep them: which of their files are worth a look. */
import { constants } from 'node:fs';
import { access, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { fileError, isCode } from '../files/atomic-file.js';
import { isPem } from '../formats/pem.js';
import { kindOfDer } from '@knsock/core/x509';

/** The files below a folder that look like certificates and lists by their names, in order. */
export async function listFolder(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((cause: unknown) => {
    throw fileError(folder, 'read', cause);
  });
  const places = entries
    .filter((entry) => !entry.isDirectory() && /\.(crt|pem|cer|der|crl)$/i.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((place) => !isLeftOut(folder, place));
  const isOther = await Promise.all(places.map(leadsToNoFile));
  return places.filter((_, index) => isOther[index] !== true).sort();
}

/** Waiting and temporary files start with a dot, and the versions behind a Kubernetes volume's links. */
function isLeftOut(folder: string, path: string): boolean {
  const parts = relative(folder, path).split(sep);
  if (parts.some((part) => part.startsWith('.'))) return true;
  return parts.length > 1 && dirname(resolve(path)).endsWith(join(sep, 'issued', 'serials'));
}

/** A link to nowhere is worth a result; a link to a folder isn't followed, and a pipe would be waited for without end. */
async function leadsToNoFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => !found.isFile(),
    () => false,
  );
}

/** A key by its name that this user may not read: to watch dates, nobody needs to. */
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

const DATED = /-----BEGIN (X509 |TRUSTED )?(CERTIFICATE|CRL)-----/;
const OTHER =
  /-----BEGIN ([A-Z0-9 ]*(PRIVATE|PUBLIC) KEY|(NEW )?CERTIFICATE REQUEST|[A-Z0-9. ]*PARAMETERS)-----/;

/** Whether it holds keys, requests or parameters and nothing with dates. */
export function isOfAnotherKind(bytes: Buffer): boolean {
  if (!isPem(bytes)) return kindOfDer(bytes) === 'encrypted private key' || isKeyDer(bytes);
  const text = bytes.toString('latin1');
  return !DATED.test(text) && OTHER.test(text);
}

/** Keys begin with a version, INTEGER 0 or 1 (RFC 5958, 8017, 5915); a certificate and a list begin with what is signed. */
function isKeyDer(der: Buffer): boolean {
  const header = (der[1] ?? 0) < 0x80 ? 2 : 2 + ((der[1] ?? 0) & 0x7f);
  return der[0] === 0x30 && der[header] === 0x02 && der[header + 1] === 1 && (der[header + 2] ?? 2) <= 1;
}
