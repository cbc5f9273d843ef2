/** Actions after a renewal: a command, a signal, or both. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readInput } from '../files.js';
import { UsageError } from '../usage-error.js';

interface Hooks {
  exec?: string | undefined;
  signalPid?: string | undefined;
}

/** Rejects if the command fails or the process can't be signalled; the certificate is in place anyway. */
export function afterRenewal({ exec, signalPid }: Hooks, dir: string): (() => Promise<void>) | undefined {
  if (exec === undefined && signalPid === undefined) return undefined;
  return async () => {
    if (signalPid !== undefined) await hangUp(signalPid);
    if (exec !== undefined) await run(exec, dir);
  };
}

async function hangUp(file: string): Promise<void> {
  const text = (await readInput(file)).toString('utf8').trim();
  const pid = /^[1-9]\d{0,9}$/.test(text) ? Number(text) : undefined;
  if (pid === undefined)
    throw new UsageError(`${file} holds no process number`, 'It is the file that the server wrote.');
  process.kill(pid, 'SIGHUP');
}

/** The command gets the folder in KNSOCK_DIR; its output goes to standard error, like all messages. */
async function run(command: string, dir: string): Promise<void> {
  const { KNSOCK_TOKEN: _, KNSOCK_PASSPHRASE: __, KNSOCK_STORE_PASSPHRASE: ___, ...rest } = process.env;
  const child = spawn(command, { shell: true, stdio: ['ignore', 2, 2], env: { ...rest, KNSOCK_DIR: dir } });
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  if (code !== 0) throw new Error(`${command} exited ${signal ?? `with ${String(code)}`}`);
}
