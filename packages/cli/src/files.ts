/** Files that the command itself reads and writes; `-` is standard input or output. */
import path from 'node:path';
import { readWhole } from '@knsock/core/options';
import type { Output } from './output.js';
import { standardInput } from './standard-input.js';
import { unreadable } from './unreadable.js';
import { UsageError } from './usage-error.js';
import { writeFiles } from './written-files.js';

export const SECRET = 0o600;
export const PUBLIC = 0o644;

/** As of a file (`readWhole`). */
const MOST_BYTES = 64 * 1_048_576;

export interface WriteOptions {
  readonly mode: number;
  /** Replaces what is there. */
  readonly force: boolean | undefined;
}

/** @throws UsageError `KNSOCK_READ` */
export async function readInput(file: string): Promise<Buffer> {
  if (file === '-') return readAll(standardInput());
  try {
    return await readWhole(file);
  } catch (error) {
    throw unreadable(file, error);
  }
}

/** Writes a file, or to standard output. @throws UsageError as `writeFiles` */
export async function writeOutput(
  output: Output,
  file: string,
  data: string | Uint8Array,
  { mode, force }: WriteOptions,
): Promise<void> {
  refuseTwoOutputs(output, file);
  if (file === '-') return output.data(data);
  await writeFiles([{ file, data, mode }], force);
}

/** Standard output can't carry both a file and JSON. @throws UsageError */
export function refuseTwoOutputs({ manner }: Output, file: string | undefined): void {
  if (file !== '-' || !manner.json) return;
  throw new UsageError(
    '--json and the file would both go to standard output',
    'Name a file with --out, or leave --json out.',
  );
}

/** What readers of core call a file that isn't what it should be. */
const malformed = new Set(['KNSOCK_MALFORMED_DER', 'KNSOCK_CREDENTIALS_MALFORMED']);

/** Runs a reader of a file, and adds the file's name to its error. */
export async function naming<T>(file: string, read: () => T | Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    const { code, hint, message } = error as { code?: unknown; hint?: unknown; message?: unknown };
    const named = (error as { file?: unknown }).file !== undefined || error instanceof UsageError;
    const isOurs = typeof code === 'string' && code.startsWith('KNSOCK_') && typeof hint === 'string';
    if (!isOurs || named || names(String(message), file)) throw error;
    const shown = file === '-' ? 'standard input' : file;
    const { EasySocketError } = await import('@knsock/core/errors');
    // The reader's own code is that of a library; other commands have this one for the same cause.
    const spoken = malformed.has(code) ? 'KNSOCK_CERTIFICATE_MALFORMED' : code;
    const spoilt = new EasySocketError(spoken, `${shown}: ${String(message)}`, { cause: error, hint });
    throw Object.assign(spoilt, { file });
  }
}

/** A file may be called as a word of the message is, such as `empty`; those words don't name it but at the beginning. */
function names(message: string, file: string): boolean {
  return /^\w+$/.test(file) ? message.startsWith(file) : message.includes(file);
}

/** A path as a user would type it in the current folder. */
export function shortPath(file: string): string {
  const short = path.relative(process.cwd(), file);
  return short.startsWith('..') ? file : short;
}

async function readAll(stream: NodeJS.ReadStream): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of stream as AsyncIterable<Buffer>) {
    size += piece.length;
    if (size > MOST_BYTES)
      throw unreadable(
        'standard input',
        Object.assign(new Error('it is over the limit of 64 MiB'), { code: 'EFBIG' }),
      );
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}
