/** What a client reads that a server's limits refused before TLS. */
import { expect, it } from 'vitest';
import { connect, listen, type ListenOptions } from '@knsock/core';
import { createWorld, portOf } from '../support/world.js';

const world = await createWorld();

it.each<[string, Partial<ListenOptions>]>([
  ['maxConnections', { maxConnections: 1 }],
  ['acceptRate', { acceptRate: { perSecond: 1, burst: 1 } }],
])('names %s as a possible cause', async (limit, options) => {
  await using server = await listen(
    { port: 0, host: '127.0.0.1', credentials: world.server, ...options },
    () => undefined,
  );
  const dial = () => connect({ host: 'localhost', port: portOf(server), credentials: world.anonymous });
  await using first = await dial();
  const refused = dial();
  await expect(refused).rejects.toMatchObject({
    code: 'KNSOCK_HANDSHAKE_DISCONNECTED',
    retryable: true,
    hint: expect.stringContaining(limit) as string,
  });
  await first.close();
});
