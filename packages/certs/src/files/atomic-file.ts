/** Files that are written atomically: to a temporary file, flushed, then renamed. */
import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { readWhole, type ReadBounds } from '@knsock/core/options';
import { CertificateError } from '../errors.js';

/** Mode of private keys: only for the owner. */
export const SECRET = 0o600;
/** Mode of everything else. */
export const PUBLIC = 0o644;

/** How a file is written. */
export interface WriteOptions {
  readonly mode: number;
  /** Replaces what is there. */
  readonly overwrite: boolean;
  /** The file's owner, if this process may set it. */
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
}

/**
 * Writes a file atomically: a crash at any moment leaves the old one, the new one or none, never a part.
 * @throws CertificateError `KNSOCK_CERTIFICATE_EXISTS` or `KNSOCK_CERTIFICATE_FILE`.
 */
export async function writeAtomic(
  path: string,
  data: string | Uint8Array,
  options: WriteOptions,
): Promise<void> {
  const temporary = temporaryName(path);
  try {
    await writeFlushed(temporary, data, options);
    // A link refuses an existing name, a rename replaces it: both are atomic.
    await (options.overwrite ? rename(temporary, path) : linkOrMove(temporary, path));
    await flushDirectory(dirname(path));
  } catch (cause) {
    throw fileError(path, 'write', cause);
  } finally {
    await rm(temporary, { force: true }).catch(() => undefined);
  }
}

/** Some network and shared folders have no links; there a check before the rename must do, under the writers' lock. */
async function linkOrMove(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].some((code) => isCode(error, code))) throw error;
    await stat(to).then(
      () => Promise.reject(Object.assign(new Error(`${to} exists`), { code: 'EEXIST' })),
      () => rename(from, to),
    );
  }
}

/** Whether a name is that of a temporary file left by a crash in `writeAtomic`. */
export function isTemporary(file: string): boolean {
  return /^\..+\.[0-9a-f]{12}\.tmp$/.test(file);
}

/** Moves a file over another and flushes the folder. */
export async function moveOver(from: string, to: string): Promise<void> {
  await rename(from, to);
  await flushDirectory(dirname(to));
}

/**
 * Reads a text file; undefined where there is none.
 * @throws CertificateError `KNSOCK_CERTIFICATE_FILE`.
 */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    if (isCode(cause, 'ENOENT')) return undefined;
    throw fileError(path, 'read', cause);
  }
}

/**
 * Reads a file or a pipe; never more than `maxBytes` (default 64 MiB), whatever its reported size; with `onlyRegular` a file alone.
 * @throws CertificateError `KNSOCK_CERTIFICATE_NOT_FOUND`, `_UNREADABLE`, or `_MALFORMED` where it is over a limit given.
 */
export async function readBytes(path: string, bounds: ReadBounds = {}): Promise<Buffer> {
  const { maxBytes } = bounds;
  try {
    return await readWhole(path, bounds);
  } catch (cause) {
    if (maxBytes !== undefined && isCode(cause, 'EFBIG')) throw tooLarge(path, maxBytes);
    throw fileError(path, 'read', cause);
  }
}

/** A file this large is meant to exhaust the memory. */
export function tooLarge(where: string, maxBytes: number): CertificateError {
  const message = `${where} is over the limit of ${maxBytes.toLocaleString('en')} bytes`;
  const hint = 'Is that the right file? Where it is, raise maxBytes.';
  return new CertificateError('KNSOCK_CERTIFICATE_MALFORMED', message, { hint });
}

/**
 * Creates a folder and its parents, accessible only to the owner. One by one: on failure, Node's recursive mkdir
 * reports ENOENT for every reason, and under /proc never ends.
 * @throws CertificateError `KNSOCK_CERTIFICATE_FILE` with the reason.
 */
export async function makeFolder(path: string): Promise<void> {
  if (await isFolder(path)) return;
  try {
    await makeOne(path).catch(async (error: unknown) => {
      const above = dirname(path);
      if (!isCode(error, 'ENOENT') || above === path || (await isFolder(above))) throw error;
      await makeFolder(above);
      await makeOne(path);
    });
    await flushDirectory(dirname(path));
  } catch (cause) {
    if (isCode(cause, 'ENOENT')) throw noRoom(path, cause);
    throw isCode(cause, 'EEXIST') ? notAFolder(path, cause) : fileError(path, 'create', cause);
  }
}

function notAFolder(path: string, cause: unknown): CertificateError {
  const hint = 'Choose another folder; one that is missing is created.';
  return new CertificateError('KNSOCK_CERTIFICATE_FILE', `${path} is not a folder`, {
    cause,
    file: path,
    hint,
  });
}

/** Another process may create it at the same time. */
async function makeOne(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    if (!isCode(error, 'EEXIST') || !(await isFolder(path))) throw error;
  }
}

function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

function noRoom(path: string, cause: unknown): CertificateError {
  const message = `can't create ${path}: ${dirname(path)} takes no folders`;
  const hint = 'Choose a folder on an ordinary file system.';
  return new CertificateError('KNSOCK_CERTIFICATE_FILE', message, { cause, file: path, hint });
}

/** Makes a folder's entries survive a power cut; file systems that can't flush a folder don't need it. */
export async function flushDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r').catch(() => undefined);
  if (directory === undefined) return;
  await directory.sync().catch(() => undefined);
  await directory.close();
}

/** Translates a system error for a file. */
export function fileError(file: string, doing: string, cause: unknown): CertificateError {
  if (cause instanceof CertificateError) return cause;
  if (isCode(cause, 'EEXIST')) {
    return new CertificateError('KNSOCK_CERTIFICATE_EXISTS', `${file} exists already`, { cause, file });
  }
  if (isCode(cause, 'ENOENT')) {
    return new CertificateError('KNSOCK_CERTIFICATE_NOT_FOUND', `there is no ${file}`, { cause, file });
  }
  const [words, hint] = reasons[(cause as NodeJS.ErrnoException | undefined)?.code ?? ''] ?? [];
  const why = words ?? (cause instanceof Error ? cause.message : String(cause));
  const details = { cause, file, ...(hint === undefined ? {} : { hint }) };
  const code = doing === 'read' ? 'KNSOCK_CERTIFICATE_UNREADABLE' : 'KNSOCK_CERTIFICATE_FILE';
  return new CertificateError(code, `can't ${doing} ${file}: ${why}`, details);
}

const PERMISSION =
  'Run the program as the user to whom the folder belongs, or give its user permission there.';
const FULL = 'Free some space (df -h) or inodes (df -i), then do it again: what was there is unharmed.';

/** The system's codes as messages, each with a hint. */
const reasons: Readonly<Record<string, readonly [words: string, hint: string]>> = {
  EROFS: [
    'the file system is read-only (EROFS)',
    'Mount it writable, or use a folder on another file system.',
  ],
  ENOSPC: ['no space or no inodes are left on the file system (ENOSPC)', FULL],
  EDQUOT: ['the disk quota is used up (EDQUOT)', FULL],
  EACCES: ['permission denied (EACCES)', PERMISSION],
  EPERM: ['operation not permitted (EPERM)', PERMISSION],
  ENOTDIR: ['a part of the path is a file, not a folder (ENOTDIR)', 'Is the path right?'],
  EISDIR: ['it is a folder (EISDIR)', 'Give the path of a file.'],
  EFBIG: [
    'it is larger than the 64 MiB that any certificate, key or list may have (EFBIG)',
    'Is that the right file?',
  ],
  ETIMEDOUT: [
    'it is a pipe, and nothing came through it for 30 seconds (ETIMEDOUT)',
    'Does a program write to this pipe? Start it first, or give the path of a file.',
  ],
  ENAMETOOLONG: ['the name is too long (ENAMETOOLONG)', 'Choose a shorter name.'],
  ELOOP: ['its links lead in a circle (ELOOP)', 'Remove the link that leads back.'],
  EMFILE: [
    'the process has as many files open as it may (EMFILE)',
    'Raise the limit (ulimit -n), or do less at once.',
  ],
};

export function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === code;
}

/** Beside the file, so that a rename is atomic. */
export function temporaryName(path: string): string {
  return join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
}

async function writeFlushed(
  path: string,
  data: string | Uint8Array,
  { mode, owner }: WriteOptions,
): Promise<void> {
  // No one else can read it before it is complete and has its owner.
  const file = await open(path, 'wx', SECRET);
  try {
    await file.writeFile(data);
    if (owner !== undefined) await file.chown(owner.uid, owner.gid).catch(() => undefined);
    await file.chmod(mode);
    await file.sync();
  } finally {
    await file.close();
  }
}
