/**
 * A certificate and its key as two files that change together.
 *
 * Both are first written beside their places, the key before the certificate. From the moment the new certificate
 * lies there the change is decided: a crash before it leaves the old pair, and the next writer finishes one after it.
 */
import { access, readdir, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { CertificateError } from '../errors.js';
import {
  fileError,
  isTemporary,
  moveOver,
  PUBLIC,
  SECRET,
  writeAtomic,
  type WriteOptions,
} from './atomic-file.js';
import { withProcessLock } from './process-lock.js';

const LOCK_TIMEOUT = 10_000;

/** Where a pair lies; without a key where its maker kept it. */
export interface PairPaths {
  readonly certFile: string;
  readonly keyFile?: string | undefined;
}

/** What goes there: PEM. */
export interface PairContent {
  readonly chain: string;
  readonly key?: string | undefined;
}

/** How a pair is written. */
export interface PairOptions {
  readonly overwrite: boolean;
  /**
   * Leaves the files to whom they belong, and what their group may read: a server that runs as another user goes on
   * reading them. Without it they are the writer's, and keys 0600.
   */
  readonly keepAccess?: boolean | undefined;
  /** Called when no other process can write there: false leaves everything unchanged. */
  readonly onlyIf?: (() => Promise<boolean>) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Writes a pair. @returns whether it did
 * @throws CertificateError `KNSOCK_CERTIFICATE_EXISTS` where either file exists and `overwrite` isn't set.
 */
export function writePair(paths: PairPaths, content: PairContent, options: PairOptions): Promise<boolean> {
  return withFolderLock(dirname(paths.certFile), options.signal, async () => {
    if (!options.overwrite) await refuseExisting(paths);
    await settlePair(paths);
    if (options.onlyIf !== undefined && !(await options.onlyIf())) return false;
    if (content.key !== undefined && paths.keyFile !== undefined) {
      await writeAtomic(waiting(paths.keyFile), content.key, await accessTo(paths.keyFile, SECRET, options));
    }
    await writeAtomic(
      waiting(paths.certFile),
      content.chain,
      await accessTo(paths.certFile, PUBLIC, options),
    );
    await settlePair(paths);
    return true;
  });
}

/** Whether a crash, or a writer who is at work, has left something unfinished in a folder. */
export async function isUnsettled(folder: string): Promise<boolean> {
  return (await filesIn(folder)).some((file) => pendingName(file) !== undefined || isTemporary(file));
}

/** Finishes or drops what crashes left in a folder; no other process may be writing there. */
export async function settleFolder(folder: string): Promise<void> {
  await withFolderLock(folder, undefined, async () => {
    for (const file of await filesIn(folder)) {
      const name = pendingName(file);
      if (name !== undefined) await settlePair(pairAt(folder, name));
      else if (isTemporary(file)) await rm(join(folder, file), { force: true });
    }
  });
}

const pendingName = (file: string): string | undefined => /^\.(.+)\.(crt|key)\.next$/.exec(file)?.[1];

async function filesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch((cause: unknown) => {
    throw fileError(folder, 'read', cause);
  });
}

/** The pair of that name in a folder. */
export function pairAt(folder: string, name: string): { certFile: string; keyFile: string } {
  return { certFile: join(folder, `${name}.crt`), keyFile: join(folder, `${name}.key`) };
}

/** Finishes a change that a crash interrupted after it was decided, and drops one that wasn't. */
async function settlePair({ certFile, keyFile }: PairPaths): Promise<void> {
  const decided = await exists(waiting(certFile));
  if (keyFile !== undefined && (await exists(waiting(keyFile)))) {
    await (decided ? moveOver(waiting(keyFile), keyFile) : rm(waiting(keyFile), { force: true }));
  }
  if (decided) await moveOver(waiting(certFile), certFile);
}

/** Who may use the next version of a file. What others than owner and group could do with a key isn't kept. */
async function accessTo(path: string, mode: number, { keepAccess }: PairOptions): Promise<WriteOptions> {
  const old = keepAccess === true ? await stat(path).catch(() => undefined) : undefined;
  if (old === undefined) return { mode, overwrite: true };
  const kept = mode === SECRET ? (old.mode & 0o640) | SECRET : old.mode & 0o666;
  return { mode: kept, overwrite: true, owner: { uid: old.uid, gid: old.gid } };
}

/** Nobody waits inside for another lock, so a store's lock may be held when this one is taken. */
function withFolderLock<T>(
  folder: string,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  return withProcessLock(join(folder, '.lock'), { timeout: LOCK_TIMEOUT, signal }, work);
}

/** @throws CertificateError `KNSOCK_CERTIFICATE_EXISTS` where either file is there. */
export async function refuseExisting(paths: PairPaths): Promise<void> {
  for (const file of [paths.certFile, paths.keyFile]) {
    if (file === undefined || !(await exists(file))) continue;
    throw new CertificateError('KNSOCK_CERTIFICATE_EXISTS', `${file} exists already`, { file });
  }
}

/** The name under which the next version of a file waits. */
function waiting(path: string): string {
  return join(dirname(path), `.${basename(path)}.next`);
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
