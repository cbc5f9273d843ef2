/** A file or folder that the user named and that can't be read: one error for every command. */
import { access, constants, stat } from 'node:fs';
import { promisify } from 'node:util';
import type { Command } from 'commander';
import { UsageError } from './usage-error.js';

const statOf = promisify(stat);
const accessOf = promisify(access);

/** What names each file of the command line: a flag, its environment variable, or nothing for an argument. */
export type GivenFiles = ReadonlyMap<string, string>;

const reasons: Readonly<Record<string, readonly [why: string, hint: string]>> = {
  ENOENT: ['there is no such file', 'Is the path right, seen from the current folder?'],
  ENOTDIR: ['there is no such file', 'A part of the path is a file, where a folder should be.'],
  EISDIR: ['it is a folder', 'Give the path of a file.'],
  EACCES: ['permission denied', 'Run the command as the user to whom the file belongs, or change its owner.'],
  ELOOP: [
    'it is a link that leads back to itself',
    'Links there lead to each other; make one of them lead to the file.',
  ],
  EPERM: ['permission denied', 'Run the command as the user to whom the file belongs, or change its owner.'],
};

const hints: Readonly<Record<string, string>> = {
  EFBIG: 'Is that the right file? None of certificates, keys or lists is that large.',
  EFTYPE: 'Write the contents into a file, and give its path.',
  ETIMEDOUT: 'Does a program write to this pipe? Start it first, or give the path of a file.',
};

/** @param cause the system's error */
export function unreadable(file: string, cause: unknown, name = ''): UsageError {
  const { code = '', message = String(cause) } = (cause ?? {}) as { code?: string; message?: string };
  const known = Object.hasOwn(reasons, code) ? reasons[code] : undefined;
  const [why, hint] = known ?? [message, hints[code] ?? 'Is the path right, and may you read the file?'];
  const named = name === '' ? file : `${name} ${file}`;
  return new UsageError(`${named} can't be read: ${why}`, hint, 'KNSOCK_READ', file);
}

/** Of a source that is a file or a server. */
export function noSource(text: string): UsageError {
  const hint = 'Is the path right? A server is given as host:port.';
  return new UsageError(`${text} can't be read: there is no such file`, hint, 'KNSOCK_READ', text);
}

/** Looks without opening, which would take a pipe's contents. @throws UsageError `KNSOCK_READ` */
export async function requireReadable(file: string): Promise<void> {
  try {
    if ((await statOf(file)).isDirectory())
      throw Object.assign(new Error('it is a folder'), { code: 'EISDIR' });
    await accessOf(file, constants.R_OK);
  } catch (error) {
    throw unreadable(file, error);
  }
}

/** The files that a command was called with, for its errors. */
export function givenFiles(command: Command): GivenFiles {
  const given = new Map<string, string>();
  for (const argument of (command.processedArgs as unknown[]).flat())
    if (typeof argument === 'string') given.set(argument, '');
  for (const option of command.options) {
    const name = option.attributeName();
    const isFromEnvironment = command.getOptionValueSource(name) === 'env';
    const flag = (isFromEnvironment ? option.envVar : option.long) ?? option.flags;
    for (const value of [command.getOptionValue(name)].flat())
      if (typeof value === 'string') given.set(value, flag);
  }
  return given;
}

const unreadableCodes = new Set([
  'KNSOCK_READ',
  'KNSOCK_CREDENTIALS_MISSING_FILE',
  'KNSOCK_CREDENTIALS_UNREADABLE',
  'KNSOCK_CERTIFICATE_NOT_FOUND',
  'KNSOCK_CERTIFICATE_UNREADABLE',
]);

/** A library's failure to read a file that was named, as the command says it; other errors stay. */
export function asUnreadable(error: unknown, given: GivenFiles): unknown {
  const { code, file } = (error ?? {}) as { code?: unknown; file?: unknown };
  if (typeof file !== 'string' || typeof code !== 'string' || !unreadableCodes.has(code)) return error;
  const name = given.get(file);
  if (error instanceof UsageError)
    return name && error.message.startsWith(file)
      ? new UsageError(`${name} ${error.message}`, error.hint, code, file)
      : error;
  const cause = systemError(error);
  return name === undefined || cause === undefined ? error : unreadable(file, cause, name);
}

function systemError(error: unknown): NodeJS.ErrnoException | undefined {
  let cause = (error as { cause?: unknown }).cause;
  while (cause instanceof Error && cause.cause instanceof Error) cause = cause.cause;
  const code = (cause as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? (cause as NodeJS.ErrnoException) : undefined;
}
