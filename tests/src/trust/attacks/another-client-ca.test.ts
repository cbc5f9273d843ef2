import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { bare, stockServer, ticketOf, versions, visit } from '../../support/raw-tls.js';
import { createWorld, portOf, type World } from '../../support/world.js';
import { ourServer } from './ours.js';

let world: World;
let other: World;
beforeAll(async () => {
  [world, other] = await Promise.all([createWorld(), createWorld('Other CA')]);
});

describe.each(versions)('a ticket from a server with another client CA, over %s', (version) => {
  it('makes its bearer authorized on a stock server that shares the ticket keys', async () => {
    const shared = { ticketKeys: randomBytes(48), requestCert: true, maxVersion: version };
    await using first = await stockServer({ ...bare(world.server), ...shared });
    await using second = await stockServer({ ...bare(world.server), ...shared, ca: other.authority.root });
    const ticket = ticketOf(await visit(first.port, bare(world.client)));
    const replayed = await visit(second.port, { ...bare(world.client), session: ticket });
    expect(replayed.received).toBe('authorized as app, resumed');
  });

  it('opens nothing on ours', async () => {
    const shared = { ticketSecret: randomBytes(32), clientCertificates: 'require' } as const;
    await using first = await ourServer(version, { ...shared, credentials: world.server });
    await using second = await ourServer(version, { ...shared, credentials: other.server });
    const visited = await visit(portOf(first), bare(world.client));
    expect(visited.received).toBe('admitted app\n');
    const session = ticketOf(visited);
    expect((await visit(portOf(first), { ...bare(world.client), session })).received).toBe(
      'admitted app, resumed\n',
    );
    const replayed = await visit(portOf(second), { ...bare(world.client), session });
    expect(replayed).toMatchObject({ resumed: false, received: '' });
    expect(second.stats().refusedPeers).toBe(1);
  });
});
