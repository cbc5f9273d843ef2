import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { bare, nodeMajor, stockServer, ticketOf, versions, visit } from '../../support/raw-tls.js';
import { createWorld, portOf, type World } from '../../support/world.js';
import { ourServer } from './ours.js';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});

describe.each(versions)('a ticket from a server that asks for no certificate, over %s', (version) => {
  // Node 20 and 22 under TLS 1.3; later ones, and TLS 1.2, don't resume it where a certificate is required.
  const falls = version === 'TLSv1.3' && nodeMajor <= 22;

  it(`makes its bearer ${falls ? 'authorized' : 'no more'} on a stock server that shares the ticket keys`, async () => {
    const shared = { ticketKeys: randomBytes(48), maxVersion: version };
    await using open = await stockServer({ ...bare(world.server), ...shared });
    await using mutual = await stockServer({ ...bare(world.server), ...shared, requestCert: true });
    const session = ticketOf(await visit(open.port, bare(world.anonymous)));
    const replayed = await visit(mutual.port, { ...bare(world.anonymous), session });
    expect(replayed.received).toBe(falls ? 'authorized as nobody, resumed' : '');
  });

  it('opens nothing on ours', async () => {
    const shared = { ticketSecret: randomBytes(32), credentials: world.server };
    await using open = await ourServer(version, { ...shared });
    await using mutual = await ourServer(version, { ...shared, clientCertificates: 'require' });
    const visited = await visit(portOf(open), bare(world.anonymous));
    expect(visited.received).toBe('admitted nobody\n');
    const session = ticketOf(visited);
    const replayed = await visit(portOf(mutual), { ...bare(world.anonymous), session });
    expect(replayed).toMatchObject({ resumed: false, received: '' });
    expect(mutual.stats()).toMatchObject({ refusedPeers: 1, admitted: 0 });
  });
});
