/** HAProxy as a child process, in TCP mode, on a free port of loopback. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';
import { bareSocket } from '../support/bare-socket.js';
import { toolPath } from './tools.js';

export interface Haproxy extends AsyncDisposable {
  readonly port: number;
}

/**
 * @param bind what stands behind the address of `bind`: `accept-proxy`
 * @param server what stands behind the address of `server`: `send-proxy-v2`
 */
export async function startHaproxy(target: number, { bind = '', server = '' }): Promise<Haproxy> {
  const folder = await mkdtemp(join(tmpdir(), 'knsock-haproxy-'));
  const port = await freePort();
  const config = join(folder, 'haproxy.cfg');
  await writeFile(config, configOf(port, target, bind, server));
  const child = spawn(toolPath('haproxy') as string, ['-f', config, '-db'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const output of [child.stdout, child.stderr])
    output.on('data', (text: Buffer) => (said += String(text)));
  const ended = once(child, 'close');
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
    await rm(folder, { recursive: true });
  };
  await vi.waitFor(async () => {
    if (child.exitCode !== null) throw new Error(said);
    (await bareSocket(port)).destroy();
  });
  return { port, [Symbol.asyncDispose]: stop };
}

function configOf(port: number, target: number, bind: string, server: string): string {
  return `
defaults
  mode tcp
  timeout connect 5s
  timeout client 30s
  timeout server 30s
  unique-id-format knsock-%ci
frontend in
  bind 127.0.0.1:${port} ${bind}
  default_backend out
backend out
  server knsock 127.0.0.1:${target} ${server}
`;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
