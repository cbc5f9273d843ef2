/** A signer that is a shell command: it reads the data from standard input and writes the signature. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { buffer } from 'node:stream/consumers';
import type { Signer } from '@knsock/certs';
import { printable } from '@knsock/core/errors';

const MOST_WORDS = 500;

export function commandSigner(command: string, publicKey: Signer['publicKey']): Signer {
  return { publicKey, sign: (tbs, { signal }) => signBy(command, tbs, signal) };
}

async function signBy(command: string, tbs: Uint8Array, signal: AbortSignal): Promise<Buffer> {
  const { KNSOCK_TOKEN: _, KNSOCK_PASSPHRASE: __, KNSOCK_STORE_PASSPHRASE: ___, ...env } = process.env;
  // Its own process group, so that the shell's children end with it.
  const child = spawn(command, { shell: true, stdio: 'pipe', env, detached: process.platform !== 'win32' });
  const end = (): void => {
    killGroup(child);
  };
  signal.addEventListener('abort', end, { once: true });
  // The exit code of a command that doesn't read everything says why.
  child.stdin.on('error', () => undefined);
  child.stdin.end(tbs);
  try {
    const [signature, words, [code, killed]] = await Promise.all([
      buffer(child.stdout),
      buffer(child.stderr),
      once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>,
    ]);
    if (code === 0) return signature;
    const said = printable(words.toString('utf8').trim().slice(-MOST_WORDS));
    throw new Error(`it exited ${killed ?? `with ${String(code)}`}${said === '' ? '' : `: ${said}`}`);
  } finally {
    signal.removeEventListener('abort', end);
  }
}

function killGroup(child: ChildProcessWithoutNullStreams): void {
  if (child.pid === undefined || process.platform === 'win32') {
    child.kill();
    return;
  }
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}
