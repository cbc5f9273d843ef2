/** Names of one listener that share a certificate and a client CA, and differ in their rules alone. */
import type { ListenOptions } from '@knsock/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { bare, ticketOf, versions, visit } from '../../support/raw-tls.js';
import { createWorld, portOf, type World } from '../../support/world.js';
import { ourServer } from './ours.js';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});

/** Each admits nobody that the open name admits. */
const closedBy: Readonly<Record<string, ListenOptions['authorize']>> = {
  'a rule': { commonNames: ['admin'] },
  'a function': (peer) => peer?.commonNames[0] === 'admin',
};

describe.each(versions)('a ticket for a name that admits its bearer, over %s', (version) => {
  it.each(Object.entries(closedBy))('opens no name that %s closes', async (_kind, authorize) => {
    const credentials = world.server;
    await using server = await ourServer(version, {
      credentials,
      clientCertificates: 'require',
      sni: {
        'open.test': { credentials, clientCertificates: 'require', authorize: { commonNames: ['app'] } },
        'closed.test': { credentials, clientCertificates: 'require', authorize },
      },
    });
    const at = (servername: string, session?: Buffer) =>
      visit(portOf(server), { ...bare(world.client), servername, ...(session && { session }) });
    const first = await at('open.test');
    expect(first.received).toBe('admitted app\n');
    const session = ticketOf(first);
    expect((await at('open.test', session)).received).toBe('admitted app, resumed\n');
    expect((await at('closed.test', session)).received).toBe('');
    expect((await at('CLOSED.test', session)).received).toBe('');
  });

  it('opens no name that its own rules close later', async () => {
    const credentials = world.server;
    await using server = await ourServer(version, { credentials, clientCertificates: 'require' });
    const client = bare(world.client);
    const session = ticketOf(await visit(portOf(server), client));
    expect((await visit(portOf(server), { ...client, session })).received).toBe('admitted app, resumed\n');
    await server.rotate({ authorize: { commonNames: ['admin'] } });
    expect((await visit(portOf(server), { ...client, session })).received).toBe('');
    await server.rotate({ authorize: () => false });
    expect((await visit(portOf(server), { ...client, session })).received).toBe('');
  });
});
