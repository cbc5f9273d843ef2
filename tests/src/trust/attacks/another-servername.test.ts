import { beforeAll, describe, expect, it } from 'vitest';
import { bare, nodeMajor, stockServer, ticketOf, versions, visit } from '../../support/raw-tls.js';
import { createWorld, type World } from '../../support/world.js';
import { ourVisit } from './our-client.js';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});

describe.each(versions)('a session begun under another name, over %s', (version) => {
  // Fixed in 22.23, 24.17 and 26.3.
  const falls = nodeMajor === 20;

  it(`makes a server ${falls ? 'authorized' : 'no more'} for stock Node under a name that its certificate lacks`, async () => {
    await using server = await stockServer({ ...bare(world.server), maxVersion: version });
    const client = bare(world.anonymous);
    const session = ticketOf(await visit(server.port, { ...client, servername: 'localhost' }));
    const replayed = await visit(server.port, { ...client, session, servername: 'other.test' });
    expect(replayed).toMatchObject({ authorized: falls, resumed: falls });
  });

  it('makes a server authorized for stock Node whose name is checked by another rule', async () => {
    await using server = await stockServer({ ...bare(world.server), maxVersion: version });
    const client = { ...bare(world.anonymous), servername: 'localhost' };
    const session = ticketOf(await visit(server.port, client));
    const checkServerIdentity = () => new Error('not the one expected');
    const full = await visit(server.port, { ...client, checkServerIdentity });
    expect(full.authorized).toBe(false);
    const replayed = await visit(server.port, { ...client, session, checkServerIdentity });
    expect(replayed).toMatchObject({ authorized: true, resumed: true });
  });

  it.each([{ servername: 'other.test' }, { servername: 'localhost', expectedName: 'other.test' }])(
    'proves nothing to ours with %j',
    async (other) => {
      await using server = await stockServer({ ...bare(world.server), maxVersion: version });
      const options = { credentials: world.anonymous, servername: 'localhost' };
      expect(await ourVisit(version, server.port, options)).toBe(false);
      expect(await ourVisit(version, server.port, options)).toBe(true);
      await expect(ourVisit(version, server.port, { ...options, ...other })).rejects.toMatchObject({
        code: 'KNSOCK_PEER_WRONG_NAME',
        certificate: { names: ['localhost', '127.0.0.1', '::1'] },
      });
    },
  );
});
