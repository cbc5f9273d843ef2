import { createCredentials, listen } from '@knsock/core';
import { beforeAll, expect, it } from 'vitest';
import { createWorld, type World } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});

const refusal = { code: 'KNSOCK_CREDENTIALS_WRONG_USAGE', reason: 'wrong-usage' };

it("a server refuses a certificate that no client would accept: a client's, or the CA's own", async () => {
  const { root, key } = world.authority;
  const ca = createCredentials({ cert: root, key });
  for (const credentials of [world.client, ca])
    await expect(listen({ port: 0, credentials }, () => undefined)).rejects.toMatchObject(refusal);
});

it('a rotation to such a certificate, or one for a name, is refused and changes nothing', async () => {
  const host = '127.0.0.1';
  await using server = await listen({ port: 0, host, credentials: world.server }, () => undefined);
  await expect(server.rotate(world.client)).rejects.toMatchObject(refusal);
  await expect(server.rotate({ sni: { a: { credentials: world.client } } })).rejects.toMatchObject(refusal);
  expect(server.stats().rotations).toBe(0);
});
