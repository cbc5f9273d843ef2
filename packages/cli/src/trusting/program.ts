/** Runs the programs that change trust stores. */
import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { printable } from '@knsock/core/errors';
import { UsageError } from '../usage-error.js';

const run = promisify(execFile);
const DEADLINE_MS = 60_000;
const MOST_WORDS = 500;

/** @throws UsageError `KNSOCK_TRUST_STORE` if it fails or takes longer than a minute */
export async function runProgram(program: string, args: readonly string[]): Promise<void> {
  try {
    await run(await placeOf(program), args, { timeout: DEADLINE_MS, encoding: 'utf8' });
  } catch (error) {
    const { stderr = '', stdout = '', message } = error as Error & { stderr?: string; stdout?: string };
    const said = printable((stderr.trim() || stdout.trim() || message).slice(-MOST_WORDS));
    throw new UsageError(
      `${program} failed: ${said}`,
      'Run it by hand to see more; the other stores are unaffected.',
      'KNSOCK_TRUST_STORE',
    );
  }
}

/** Whether it ends with 0. */
export async function succeeds(program: string, args: readonly string[]): Promise<boolean> {
  return run(await placeOf(program), args, { timeout: DEADLINE_MS }).then(
    () => true,
    () => false,
  );
}

export async function isInstalled(program: string): Promise<boolean> {
  return path.isAbsolute(await placeOf(program));
}

/** Searched in the PATH, and in the folders of system commands, which aren't in every user's PATH. */
async function placeOf(program: string): Promise<string> {
  if (path.isAbsolute(program)) return program;
  const folders = [...(process.env['PATH'] ?? '').split(path.delimiter), '/usr/sbin', '/sbin'];
  const endings = process.platform === 'win32' ? ['.exe', '.cmd'] : [''];
  for (const folder of folders)
    for (const ending of endings) {
      const file = path.join(folder, program + ending);
      if (path.isAbsolute(file) && (await isExecutable(file))) return file;
    }
  return program;
}

function isExecutable(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}
