/** Files that the command writes: all of one call, or none. */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { access, open, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { UsageError } from './usage-error.js';

export interface FileToWrite {
  readonly file: string;
  readonly data: string | Uint8Array;
  readonly mode: number;
}

const EXISTS_HINT = 'Choose another name, or say --force to replace it.';

/**
 * Writes files that belong together. After a failure what was there is there unchanged, and nothing new.
 * @throws UsageError `KNSOCK_WRITE`, `KNSOCK_CERTIFICATE_EXISTS`
 */
export async function writeFiles(files: readonly FileToWrite[], force = false): Promise<void> {
  const made: string[] = [];
  const steps: Step[] = [];
  let current = '';
  try {
    for (const one of files) {
      current = one.file;
      steps.push({ file: one.file, finish: await prepare(one, force, made) });
    }
    for (const { file, finish } of steps) {
      current = file;
      await finish();
    }
  } catch (error) {
    await Promise.all(made.map((file) => rm(file, { force: true })));
    throw writeError(current, error as NodeJS.ErrnoException);
  }
}

/** Refuses to replace a file, before anything is created. @throws UsageError `KNSOCK_CERTIFICATE_EXISTS` */
export async function refuseExisting(files: readonly string[], hint = EXISTS_HINT): Promise<void> {
  for (const file of files) {
    const there = await access(file).then(
      () => true,
      () => false,
    );
    if (there) throw existsError(file, hint);
  }
}

interface Step {
  readonly file: string;
  readonly finish: () => Promise<void>;
}

/** Writes everything that can fail for lack of space; `finish` puts it into its place. */
async function prepare(one: FileToWrite, force: boolean, made: string[]): Promise<Step['finish']> {
  const { file } = one;
  const there = await stat(file).catch(() => undefined);
  if (there?.isDirectory() === true) throw Object.assign(new Error('it is a folder'), { code: 'EISDIR' });
  // A device or a pipe is written to: a file in its place would end what others do with it.
  if (there?.isFile() === false) return () => writeInto(one);
  if (!force) {
    await create(file, one, made);
    return async () => {};
  }
  // A link stays, and what it leads to is replaced.
  const place = there === undefined ? file : await realpath(file);
  const temporary = `${place}.${randomBytes(6).toString('hex')}.tmp`;
  await create(temporary, one, made);
  return () => rename(temporary, place);
}

async function create(place: string, { data, mode }: FileToWrite, made: string[]): Promise<void> {
  const created = await open(place, 'wx', mode);
  made.push(place);
  try {
    await created.writeFile(data);
  } finally {
    await created.close();
  }
}

/** A pipe that no program reads is an error at once: opened for writing alone, it would wait. */
async function writeInto({ file, data }: FileToWrite): Promise<void> {
  const reader = await open(file, constants.O_WRONLY | constants.O_NONBLOCK);
  try {
    await writeFile(file, data);
  } finally {
    await reader.close();
  }
}

const UNCHANGED = 'what was there is unchanged.';

/** What to do, by the system's code. */
const hints: Readonly<Record<string, string>> = {
  EISDIR: 'Give the path of a file.',
  ENAMETOOLONG: 'Choose a shorter name.',
  ENOTDIR: 'A part of the path is a file, where a folder should be.',
  ENOSPC: `Free some space (df -h) or inodes (df -i), then do it again: ${UNCHANGED}`,
  EDQUOT: `Free some space within the quota, then do it again: ${UNCHANGED}`,
  EROFS: 'The file system is read-only: choose a folder on another one.',
  ENXIO:
    'Does a program read from this pipe? Start it first, or give the path of a file; - is standard output.',
};

function writeError(file: string, error: NodeJS.ErrnoException): UsageError {
  const { code = '', message } = error;
  if (code === 'EEXIST') return existsError(file, EXISTS_HINT);
  const hint = Object.hasOwn(hints, code) ? hints[code] : 'Is there such a folder, and may you write there?';
  return new UsageError(`${file} can't be written: ${message}`, hint, 'KNSOCK_WRITE');
}

function existsError(file: string, hint: string): UsageError {
  return new UsageError(`${file} already exists`, hint, 'KNSOCK_CERTIFICATE_EXISTS');
}
