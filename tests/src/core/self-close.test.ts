/** A server's close() in its own handler: a warning names the handler, and the deadline ends it. */
import { once } from 'node:events';
import { get } from 'node:https';
import { connect, listen, serve, type SecureServer } from '@knsock/core';
import { SecureAgent, serveHttp, type HttpServer } from '@knsock/core/http';
import { beforeAll, describe, expect, it } from 'vitest';
import { createWorld, portOf, type World } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});

const local = () => ({ port: 0, host: '127.0.0.1', credentials: world.server });
const to = (server: Parameters<typeof portOf>[0]) => ({
  host: 'localhost',
  port: portOf(server),
  credentials: world.anonymous,
});

/** Resolves with the warning of a close that waits. */
async function closeWarning(): Promise<string> {
  for (;;) {
    const [warning] = (await once(process, 'warning')) as [Error & { code?: string }];
    if (warning.code === 'KNSOCK_CLOSE_WAITS') return warning.message;
  }
}

describe('server.close() that its own handler awaits', () => {
  const deadline = 1_200;

  it.each([
    [
      '1 request handler',
      async () => {
        const server: SecureServer = await serve(local(), async () => {
          await Promise.resolve();
          await server.close({ deadline });
          return 'late';
        });
        const client = await connect(to(server));
        client.request('x').catch(() => undefined);
        return client.closed;
      },
    ],
    [
      '1 listener',
      async () => {
        const server: SecureServer = await listen(local(), (connection) => {
          connection.onMessage(async () => {
            await Promise.resolve();
            await server.close({ deadline });
          });
        });
        const client = await connect(to(server));
        await client.send('x');
        return client.closed;
      },
    ],
    [
      '1 stream',
      async () => {
        const server: HttpServer = await serveHttp(local(), async (_request, response) => {
          await server.close({ deadline });
          response.end();
        });
        const agent = new SecureAgent({ credentials: world.anonymous });
        const [error] = (await once(get({ host: 'localhost', port: portOf(server), agent }), 'error')) as [
          Error,
        ];
        agent.destroy();
        return error;
      },
    ],
  ])('warns after a second that it waits for %s', async (what, run) => {
    const warning = closeWarning();
    await run();
    expect(await warning).toContain(`server.close() has waited 1000 ms for ${what}, the first on connection`);
  });
});
