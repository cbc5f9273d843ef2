/**
 * A process for each connection: received bytes are its standard input, its output is sent. It ends with
 * its connection or with this process: it and all its children form a process group that is killed as one.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import type { Duplex, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { SecureConnection } from '@knsock/core';
import type { ServeLog } from './serve-log.js';

/** Grace period of a process once its connection is gone. */
const GRACE_MS = 5_000;

const grouped = process.platform !== 'win32';
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) end(child, 'SIGKILL');
});

/** Runs a shell command on a raw connection; whichever of the two ends first ends the other. */
export async function runCommand(
  connection: SecureConnection,
  command: string,
  log: ServeLog,
): Promise<void> {
  const child = spawn(command, {
    shell: true,
    detached: grouped,
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...ownEnvironment(), ...environmentOf(connection) },
  });
  child.on('error', (error) => {
    log.failed(`#${connection.id} ${command}`, error);
    connection.destroy();
  });
  follow(child, connection, log);
  const stream = connection.stream();
  feed(stream, child.stdin);
  // A peer that leaves isn't our failure: its connection reports it.
  await pipeline(child.stdout, stream).catch(() => undefined);
  await connection.close();
}

/** A program that stops reading may still write a lot, so the stream must outlive its input. */
function feed(stream: Duplex, input: Writable): void {
  stream.pipe(input);
  input.on('error', () => {
    stream.unpipe(input);
    stream.resume();
  });
}

function follow(child: ChildProcess, { id, closed }: SecureConnection, log: ServeLog): void {
  running.add(child);
  let timer: NodeJS.Timeout | undefined;
  // Not at 'exit': children in its group may still hold the pipes.
  child.once('close', (code, signal) => {
    running.delete(child);
    clearTimeout(timer);
    log.event('exit', { id, code, signal }, `#${id} exited ${signal ?? `with ${code}`}`);
  });
  void closed.then(() => {
    if (!running.has(child)) return;
    end(child, 'SIGTERM');
    timer = setTimeout(() => {
      end(child, 'SIGKILL');
    }, GRACE_MS);
  });
}

function end(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    if (grouped) process.kill(-child.pid, signal);
    else child.kill(signal);
  } catch {
    // The whole group has ended already.
  }
}

/** Our environment without the passphrases of our keys. */
function ownEnvironment(): NodeJS.ProcessEnv {
  const { KNSOCK_PASSPHRASE: _, KNSOCK_STORE_PASSPHRASE: __, KNSOCK_TOKEN: ___, ...rest } = process.env;
  return rest;
}

/** The peer's identity, for the program. */
function environmentOf({ peer, remote, tls }: SecureConnection): Record<string, string> {
  const values = {
    KNSOCK_REMOTE_ADDRESS: remote?.address ?? '',
    KNSOCK_REMOTE_PORT: remote === null ? '' : String(remote.port),
    KNSOCK_TLS_VERSION: tls.version,
    KNSOCK_PEER_SUBJECT: peer?.subject ?? '',
    KNSOCK_PEER_COMMON_NAME: peer?.commonNames[0] ?? '',
    KNSOCK_PEER_FINGERPRINT: peer?.fingerprint256 ?? '',
  };
  // A name may contain characters that a variable can't.
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, value.replaceAll('\0', '')]),
  );
}
