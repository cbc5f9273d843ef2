/** A server in another process, for tests that block their own. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('server.program.mjs', import.meta.url));

export interface OtherServer extends AsyncDisposable {
  readonly port: number;
  /** Resolves once a client has sent `tell:`, which is never answered. */
  told(): Promise<unknown>;
}

/** @param folder holds `server.crt`, `server.key` and `ca.crt` */
export async function startOtherServer(
  folder: string,
  { requireClient = false }: { requireClient?: boolean } = {},
): Promise<OtherServer> {
  const child = fork(program, [folder, String(requireClient)], { execArgv: [] });
  const [port] = (await once(child, 'message')) as [number];
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null) return;
    const ended = once(child, 'exit');
    child.disconnect();
    await ended;
  };
  const told = (): Promise<unknown> => once(child, 'message');
  return { port, told, [Symbol.asyncDispose]: stop };
}
