import { beforeAll, describe, expect, it } from 'vitest';
import { bare, nodeMajor, stockServer, versions, visit } from '../../support/raw-tls.js';
import { createWorld, portOf, type World } from '../../support/world.js';
import { ourServer } from './ours.js';

let world: World;
let other: World;
beforeAll(async () => {
  [world, other] = await Promise.all([createWorld(), createWorld('Other CA')]);
});

describe.each(versions)('the ticket that a refused client keeps, over %s', (version) => {
  const falls = version === 'TLSv1.3' && nodeMajor <= 22;

  it(`makes a client without a certificate ${falls ? 'authorized' : 'no more'} on the same stock server`, async () => {
    const settings = { requestCert: true, rejectUnauthorized: false, maxVersion: version };
    await using server = await stockServer({ ...bare(world.server), ...settings });
    const refused = await visit(server.port, bare(world.anonymous));
    expect(refused.received).toBe('unauthorized as nobody');
    const session = refused.sessions.at(-1);
    const replayed = await visit(server.port, { ...bare(world.anonymous), ...(session && { session }) });
    expect(replayed.received.startsWith('authorized')).toBe(falls);
  });

  it.each(['none', 'one of another CA'])('opens nothing on ours, whose client showed %s', async (shown) => {
    const client = bare(shown === 'none' ? world.anonymous : other.client);
    await using server = await ourServer(version, {
      credentials: world.server,
      clientCertificates: 'require',
    });
    const refused = await visit(portOf(server), client);
    expect(refused.received).toBe('');
    for (const session of refused.sessions) {
      expect((await visit(portOf(server), { ...client, session })).received).toBe('');
    }
    expect(server.stats()).toMatchObject({ admitted: 0, refusedPeers: 1 + refused.sessions.length });
  });
});
