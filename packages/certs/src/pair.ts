/**
 * A certificate and its key as two files that change together.
 *
 * Both are first written beside their places, the key before the certificate. From the moment the new certificate
 * lies there the change is decided: a crash before it leaves the old pair, and `settlePair` finishes one after it.
 */
import { access, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { CertificateError } from './errors.js';
import { moveOver, PUBLIC, SECRET, writeAtomic } from './atomic-file.js';

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

/**
 * Writes a pair.
 * @throws CertificateError `KNSOCK_CERTIFICATE_EXISTS` where either file exists and `overwrite` isn't set.
 */
export async function writePair(paths: PairPaths, content: PairContent, overwrite: boolean): Promise<void> {
  if (!overwrite) await refuseExisting(paths);
  await settlePair(paths);
  if (content.key !== undefined && paths.keyFile !== undefined) {
    await writeAtomic(waiting(paths.keyFile), content.key, { mode: SECRET, overwrite: true });
  }
  await writeAtomic(waiting(paths.certFile), content.chain, { mode: PUBLIC, overwrite: true });
  await settlePair(paths);
}

/** Finishes a change that a crash interrupted after it was decided, and drops one that wasn't. */
export async function settlePair({ certFile, keyFile }: PairPaths): Promise<void> {
  const decided = await exists(waiting(certFile));
  if (keyFile !== undefined && (await exists(waiting(keyFile)))) {
    await (decided ? moveOver(waiting(keyFile), keyFile) : rm(waiting(keyFile), { force: true }));
  }
  if (decided) await moveOver(waiting(certFile), certFile);
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
