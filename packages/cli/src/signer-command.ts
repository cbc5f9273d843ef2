/** A signer that is a shell command: it reads the data from standard input and writes the signature. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { Signer } from '@knsock/certs';
import { printable } from '@knsock/core/errors';
import { endWithProcess, killGroup } from './process-groups.js';

const MOST_WORDS = 500;
/** Ms for which output that is still open after the exit is read. */
const OPEN_AFTER_EXIT = 100;

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
  const release = endWithProcess(child);
  signal.addEventListener('abort', end, { once: true });
  const [signature, words] = [collect(child.stdout), collect(child.stderr)];
  // The exit code of a command that doesn't read everything says why.
  child.stdin.on('error', () => undefined);
  child.stdin.end(tbs);
  try {
    const [code, killed] = await ended(child);
    if (code === 0) return signature();
    const said = printable(words().toString('utf8').trim().slice(-MOST_WORDS));
    throw new Error(`it exited ${killed ?? `with ${String(code)}`}${said === '' ? '' : `: ${said}`}`);
  } finally {
    signal.removeEventListener('abort', end);
    release();
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
  }
}

type Exit = [code: number | null, killed: NodeJS.Signals | null];

/** Something that it left in the background may keep its output open: what it wrote itself has arrived by then. */
function ended(child: ChildProcess): Promise<Exit> {
  const exited = async (): Promise<Exit> => {
    const exit = (await once(child, 'exit')) as Exit;
    await sleep(OPEN_AFTER_EXIT, undefined, { ref: false });
    await nextTurn();
    return exit;
  };
  return Promise.race([once(child, 'close') as Promise<Exit>, exited()]);
}

function collect(stream: Readable): () => Buffer {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks);
}
