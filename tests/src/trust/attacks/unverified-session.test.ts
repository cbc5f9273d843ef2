import { createCredentials } from '@knsock/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { bare, stockServer, ticketOf, versions, visit } from '../../support/raw-tls.js';
import { createWorld, type World } from '../../support/world.js';
import { ourVisit } from './our-client.js';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});

describe.each(versions)('a session from an unverified connection, over %s', (version) => {
  it('passes for verified in stock Node, with any checked name', async () => {
    await using server = await stockServer({ ...bare(world.server), maxVersion: version });
    const client = { ...bare(world.anonymous), servername: 'localhost' };
    const unverified = await visit(server.port, { ...client, checkServerIdentity: () => undefined });
    const checkServerIdentity = () => new Error('not the one expected');
    const replayed = await visit(server.port, {
      ...client,
      checkServerIdentity,
      session: ticketOf(unverified),
    });
    expect(replayed).toMatchObject({ authorized: true, resumed: true });
  });

  it('keeps its verify error in stock Node, even under the right CA', async () => {
    await using server = await stockServer({ ...bare(world.server), maxVersion: version });
    const unverified = await visit(server.port, { ca: [], servername: 'localhost' });
    const client = { ...bare(world.anonymous), servername: 'localhost', session: ticketOf(unverified) };
    expect(await visit(server.port, client)).toMatchObject({ authorized: false, resumed: true });
  });

  it.each([{ dangerouslySkipVerification: true }, { expectedName: { dangerouslyAnyName: true } as const }])(
    "isn't trusted by ours with verification: begun with %j",
    async (careless) => {
      await using server = await stockServer({ ...bare(world.server), maxVersion: version });
      const credentials = world.anonymous;
      const reach = { credentials, servername: 'other.test' };
      expect(await ourVisit(version, server.port, { ...reach, ...careless })).toBe(false);
      expect(await ourVisit(version, server.port, { ...reach, ...careless })).toBe(true);
      await expect(ourVisit(version, server.port, reach)).rejects.toMatchObject({
        code: 'KNSOCK_PEER_WRONG_NAME',
      });
    },
  );

  it("doesn't stop ours from trusting a valid server", async () => {
    await using server = await stockServer({ ...bare(world.server), maxVersion: version });
    const careless = { credentials: createCredentials({}), dangerouslySkipVerification: true };
    await ourVisit(version, server.port, { ...careless, servername: 'localhost' });
    const verified = { credentials: world.anonymous, servername: 'localhost' };
    expect(await ourVisit(version, server.port, verified)).toBe(false);
  });
});
