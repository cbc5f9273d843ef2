/**
 * A certificate and its key as two files that change together.
 *
 * Both are first written beside their places, the key before the certificate. Once the new certificate
 * lies there the change is committed: a crash before it leaves the old pair; after it, the next writer completes it.
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

/** The paths of a pair; no key if the requester kept it. */
export interface PairPaths {
  readonly certFile: string;
  readonly keyFile?: string | undefined;
}

/** The contents: PEM. */
export interface PairContent {
  readonly chain: string;
  readonly key?: string | undefined;
}

/** How a pair is written. */
export interface PairOptions {
  readonly overwrite: boolean;
  /**
   * Keeps the files' owner and their group's read permission, so that a server that runs as another user can still
   * read them. Without it they are the writer's, and keys 0600.
   */
  readonly keepAccess?: boolean | undefined;
  /** Called while no other process can write there: false leaves everything unchanged. */
  readonly onlyIf?: (() => Promise<boolean>) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Writes a pair. @returns whether it was written
 * @throws CertificateError `KNSOCK_CERTIFICATE_EXISTS` if either file exists and `overwrite` isn't set.
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

/** Whether a folder has an unfinished change, after a crash or because another process is writing. */
export async function isUnsettled(folder: string): Promise<boolean> {
  return (await filesIn(folder)).some((file) => pendingName(file) !== undefined || isTemporary(file));
}

/** Completes or discards what crashes left in a folder; no other process may be writing there. */
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

/** Completes a change that a crash interrupted after its commit, and discards any other. */
async function settlePair({ certFile, keyFile }: PairPaths): Promise<void> {
  const decided = await exists(waiting(certFile));
  if (keyFile !== undefined && (await exists(waiting(keyFile)))) {
    await (decided ? moveOver(waiting(keyFile), keyFile) : rm(waiting(keyFile), { force: true }));
  }
  if (decided) await moveOver(waiting(certFile), certFile);
}

/** Owner and mode for the next version of a file. Permissions of others for a key aren't kept. */
async function accessTo(path: string, mode: number, { keepAccess }: PairOptions): Promise<WriteOptions> {
  const old = keepAccess === true ? await stat(path).catch(() => undefined) : undefined;
  if (old === undefined) return { mode, overwrite: true };
  const kept = mode === SECRET ? (old.mode & 0o640) | SECRET : old.mode & 0o666;
  return { mode: kept, overwrite: true, owner: { uid: old.uid, gid: old.gid } };
}

/** No other lock is taken inside, so a store's lock may be held when this one is taken. */
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

/** The name of a file's pending next version. */
function waiting(path: string): string {
  return join(dirname(path), `.${basename(path)}.next`);
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
