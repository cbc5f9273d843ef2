/** Files that the command itself reads and writes; `-` is standard input or output. */
import { access, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Output } from './output.js';
import { UsageError } from './usage-error.js';

export const SECRET = 0o600;
export const PUBLIC = 0o644;

const EXISTS_HINT = 'Choose another name, or say --force to replace it.';

export interface WriteOptions {
  readonly mode: number;
  /** Replaces what is there. */
  readonly force: boolean | undefined;
}

/** @throws UsageError `KNSOCK_READ` */
export async function readInput(file: string): Promise<Buffer> {
  if (file === '-') return readAll(process.stdin);
  try {
    return await readFile(file);
  } catch (error) {
    const message = `${file} can't be read: ${(error as Error).message}`;
    throw new UsageError(message, 'Is the path right, and may you read the file?', 'KNSOCK_READ');
  }
}

/** Writes a file atomically. @throws UsageError `KNSOCK_WRITE`, `KNSOCK_CERTIFICATE_EXISTS` */
export async function writeOutput(
  output: Output,
  file: string,
  data: string | Uint8Array,
  { mode, force }: WriteOptions,
): Promise<void> {
  if (file === '-') return output.data(data);
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    if (force === true) {
      await writeFile(temporary, data, { mode, flag: 'wx' });
      await rename(temporary, file);
    } else await writeFile(file, data, { mode, flag: 'wx' });
  } catch (error) {
    await rm(temporary, { force: true });
    throw writeError(file, error as NodeJS.ErrnoException);
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

/** Runs a reader of a file, and adds the file's name to its error. */
export async function naming<T>(file: string, read: () => T | Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    const { code, hint, message } = error as { code?: unknown; hint?: unknown; message?: unknown };
    const isOurs = typeof code === 'string' && code.startsWith('KNSOCK_') && typeof hint === 'string';
    if (!isOurs || String(message).includes(file)) throw error;
    const shown = file === '-' ? 'standard input' : file;
    const { EasySocketError } = await import('@knsock/core/errors');
    throw new EasySocketError(code, `${shown}: ${String(message)}`, { cause: error, hint });
  }
}

/** A path as a user would type it in the current folder. */
export function shortPath(file: string): string {
  const short = path.relative(process.cwd(), file);
  return short.startsWith('..') ? file : short;
}

function writeError(file: string, error: NodeJS.ErrnoException): UsageError {
  if (error.code === 'EEXIST') return existsError(file, EXISTS_HINT);
  return new UsageError(
    `${file} can't be written: ${error.message}`,
    'Is there such a folder, and may you write there?',
    'KNSOCK_WRITE',
  );
}

function existsError(file: string, hint: string): UsageError {
  return new UsageError(`${file} already exists`, hint, 'KNSOCK_CERTIFICATE_EXISTS');
}

async function readAll(stream: NodeJS.ReadStream): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of stream as AsyncIterable<Buffer>) pieces.push(piece);
  return Buffer.concat(pieces);
}
