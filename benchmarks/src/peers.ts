/** Servers in other languages, where the machine has what they need. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer, connect as connectTcp, type Socket } from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { setTimeout as pause } from 'node:timers/promises';
import type { Certificates } from './certificates.js';
import { Child } from './child.js';
import { LOOPBACK } from './tls-setup.js';

export interface Peer {
  readonly child: Child;
  readonly port: number;
}

/** Starts it, or says in a few words why not. */
export type PeerStart = (files: Certificates) => Promise<Peer | string>;

const run = promisify(execFile);
const folder = fileURLToPath(new URL('../peers/', import.meta.url));
const BUILD_MS = 90_000;

export const peers: Readonly<Record<string, PeerStart>> = {
  'Python asyncio': async (files) => {
    if (!(await answers('python3', ['--version']))) return 'no python3';
    const program = path.join(folder, 'echo.py');
    return printingItsPort(['python3', program, files.serverCertificate, files.serverKey], 'Python');
  },
  'Go crypto/tls': async (files) => {
    if (!(await answers('go', ['version']))) return 'no go';
    const program = path.join(files.folder, 'echo-go');
    await run('go', ['build', '-o', program, path.join(folder, 'echo.go')], { timeout: BUILD_MS });
    return printingItsPort([program, files.serverCertificate, files.serverKey], 'Go');
  },
  socat: async (files) => {
    if (!(await answers('socat', ['-V']))) return 'no socat';
    const port = await freePort();
    const listening = `OPENSSL-LISTEN:${port},bind=${LOOPBACK},reuseaddr,nodelay,fork,verify=0,openssl-min-proto-version=TLS1.3`;
    const keys = `cert=${files.serverCertificate},key=${files.serverKey}`;
    const child = await Child.other(['socat', `${listening},${keys}`, 'PIPE'], 'socat');
    await listens(port, 'socat');
    return { child, port };
  },
};

export async function answers(command: string, args: string[]): Promise<boolean> {
  return run(command, args).then(
    () => true,
    () => false,
  );
}

async function printingItsPort(command: readonly string[], name: string): Promise<Peer> {
  const child = await Child.other(command, name);
  return { child, port: Number(await child.firstLine()) };
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, LOOPBACK);
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

/** Connects until the program answers: some print nothing when they are ready. */
export async function listens(port: number, name: string): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    const socket: Socket = connectTcp(port, LOOPBACK);
    const connected = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (connected) return;
    await pause(50);
  }
  throw new Error(`${name} doesn't listen`);
}
