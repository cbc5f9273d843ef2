/** HAProxy as a child process, in TCP mode, on a free port of loopback. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startProgram, type Program } from './program.js';

/**
 * @param bind what stands behind the address of `bind`: `accept-proxy`
 * @param server what stands behind the address of `server`: `send-proxy-v2`
 */
export async function startHaproxy(target: number, { bind = '', server = '' }): Promise<Program> {
  const folder = await mkdtemp(join(tmpdir(), 'knsock-haproxy-'));
  const config = join(folder, 'haproxy.cfg');
  const program = await startProgram('haproxy', async (port) => {
    await writeFile(config, configOf(port, target, bind, server));
    return ['-f', config, '-db'];
  });
  const stop = async (): Promise<void> => {
    await program[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  };
  return { port: program.port, [Symbol.asyncDispose]: stop };
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
