/** A process for each connection: what comes in is its standard input, what it prints goes out. */
import { spawn } from 'node:child_process';
import { pipeline } from 'node:stream/promises';
import type { SecureConnection } from '@knsock/core';
import type { ServeLog } from './serve-log.js';

/** Runs a shell command on a raw connection; whichever of the two ends first ends the other. */
export async function runCommand(
  connection: SecureConnection,
  command: string,
  log: ServeLog,
): Promise<void> {
  const child = spawn(command, {
    shell: true,
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, ...environmentOf(connection) },
  });
  child.on('error', (error) => {
    log.failed(`#${connection.id} ${command}`, error);
    connection.destroy();
  });
  void connection.closed.then(() => child.kill());
  const stream = connection.stream();
  // A program may stop reading, or a peer may leave: neither is a failure of the other direction.
  const input = pipeline(stream, child.stdin, { end: true }).catch(() => undefined);
  const output = pipeline(child.stdout, stream).catch(() => undefined);
  await output;
  await Promise.race([input, connection.close()]);
}

/** Who is there, for the program. */
function environmentOf({ peer, socket, tls }: SecureConnection): Record<string, string> {
  return {
    KNSOCK_REMOTE_ADDRESS: socket.remoteAddress ?? '',
    KNSOCK_REMOTE_PORT: String(socket.remotePort ?? ''),
    KNSOCK_TLS_VERSION: tls.version,
    KNSOCK_PEER_SUBJECT: peer?.subject ?? '',
    KNSOCK_PEER_COMMON_NAME: peer?.commonNames[0] ?? '',
    KNSOCK_PEER_FINGERPRINT: peer?.fingerprint256 ?? '',
  };
}
