// @ts-check
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('process.mjs', import.meta.url));

/** Starts `process.mjs` and resolves when it listens. @param {string} folder @param {number} [port] */
export async function startServer(folder, port = 0) {
  const child = fork(program, [String(port), `${folder}/certs`, `${folder}/orders`]);
  const [address] = await once(child, 'message', { signal: AbortSignal.timeout(20_000) });
  return { child, port: Number(address.port) };
}

/** Lets it finish what it has begun. @param {Awaited<ReturnType<typeof startServer>>} server */
export async function stopServer({ child }) {
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  await exit;
}
