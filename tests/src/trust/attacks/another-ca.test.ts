import { createCredentials } from '@knsock/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { bare, stockServer, ticketOf, versions, visit } from '../../support/raw-tls.js';
import { createWorld, type World } from '../../support/world.js';
import { ourVisit } from './our-client.js';

let world: World;
let other: World;
beforeAll(async () => {
  [world, other] = await Promise.all([createWorld(), createWorld('Other CA')]);
});

describe.each(versions)('a session begun under another CA, over %s', (version) => {
  it('makes the server authorized for stock Node under a CA that never certified it', async () => {
    await using server = await stockServer({ ...bare(world.server), maxVersion: version });
    const client = { ...bare(world.anonymous), servername: 'localhost' };
    const session = ticketOf(await visit(server.port, client));
    const ca = other.authority.root;
    expect((await visit(server.port, { ...client, ca })).authorized).toBe(false);
    expect(await visit(server.port, { ...client, ca, session })).toMatchObject({
      authorized: true,
      resumed: true,
    });
  });

  it("proves nothing to ours, nor does one begun under Node's default store", async () => {
    await using server = await stockServer({ ...bare(world.server), maxVersion: version });
    const options = { servername: 'localhost' };
    await ourVisit(version, server.port, { ...options, credentials: world.anonymous });
    for (const credentials of [other.anonymous, createCredentials({})]) {
      await expect(ourVisit(version, server.port, { ...options, credentials })).rejects.toMatchObject({
        code: 'KNSOCK_PEER_UNKNOWN_ISSUER',
      });
    }
  });

  it('proves nothing to ours once the CA was rotated', async () => {
    await using server = await stockServer({ ...bare(world.server), maxVersion: version });
    const both = createCredentials({ ca: [world.authority.root, other.authority.root] });
    await ourVisit(version, server.port, { credentials: both, servername: 'localhost' });
    const rotated = ourVisit(version, server.port, {
      credentials: other.anonymous,
      servername: 'localhost',
    });
    await expect(rotated).rejects.toMatchObject({ code: 'KNSOCK_PEER_UNKNOWN_ISSUER' });
  });
});
