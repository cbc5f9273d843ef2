import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { createCredentials, type Credentials, type RevocationSource } from '@knsock/core';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { bare, stockServer, ticketOf, versions, visit } from '../../support/raw-tls.js';
import { createWorld, portOf, type World } from '../../support/world.js';
import { ourServer } from './ours.js';

let world: World;
let withList: (pem: string) => Credentials;
let before: string;
let after: string;
beforeAll(async () => {
  world = await createWorld();
  before = (await world.authority.crl()).pem;
  await world.authority.revoke(world.client.material.cert, 'key-compromise');
  after = (await world.authority.crl()).pem;
  withList = (crl) => createCredentials({ ...world.server.material, ca: world.authority.root, crl });
});

describe.each(versions)('the old ticket of a revoked client, over %s', (version) => {
  it('keeps it authorized on a stock server that has loaded the new list', async () => {
    const settings = { ...bare(world.server), requestCert: true, maxVersion: version };
    const ticketKeys = randomBytes(48);
    await using server = await stockServer({ ...settings, ticketKeys, crl: before });
    const client = bare(world.client);
    const session = ticketOf(await visit(server.port, client));
    server.server.setSecureContext({ ...settings, ticketKeys, crl: after });
    expect((await visit(server.port, client)).received).toBe('');
    expect((await visit(server.port, { ...client, session })).received).toBe('authorized as app, resumed');
  });

  it('opens nothing on ours once the list is in force', async () => {
    await using server = await ourServer(version, {
      credentials: withList(before),
      clientCertificates: 'require',
    });
    const client = bare(world.client);
    const session = ticketOf(await visit(portOf(server), client));
    expect((await visit(portOf(server), { ...client, session })).received).toBe('admitted app, resumed\n');
    await server.rotate(withList(after));
    expect((await visit(portOf(server), { ...client, session })).received).toBe('');
  });

  it('opens nothing on ours even where the ticket still decrypts', async () => {
    let status: 'good' | 'revoked' = 'good';
    const revocation: RevocationSource = {
      version: 'never changes',
      onChange: () => () => undefined,
      check: () => ({ status, position: 1 }),
    };
    await using server = await ourServer(version, {
      credentials: world.server,
      clientCertificates: 'require',
      revocation,
    });
    const client = bare(world.client);
    const session = ticketOf(await visit(portOf(server), client));
    expect((await visit(portOf(server), { ...client, session })).received).toBe('admitted app, resumed\n');
    status = 'revoked';
    const replayed = await visit(portOf(server), { ...client, session });
    // Over TLS 1.2 the refusal may come before the client has noted that it resumed.
    expect(replayed.received).toBe('');
    expect(server.stats().refusedPeers).toBe(1);
  });
});

describe('the old ticket of an expired client', () => {
  it('keeps it authorized on a stock server, and opens nothing on ours', async () => {
    const { client, expired } = await shortLived();
    const settings = { ...bare(world.server), requestCert: true };
    await using stock = await stockServer(settings);
    await using server12 = await ourServer('TLSv1.2', mutual(world));
    await using server13 = await ourServer('TLSv1.3', mutual(world));
    const ports = [stock.port, portOf(server12), portOf(server13)];
    const visits = await Promise.all(ports.map((port) => visit(port, client)));
    expect(visits.map(({ received }) => received)).toEqual([
      'authorized as app',
      'admitted app\n',
      'admitted app\n',
    ]);
    await wait(expired.getTime() - Date.now());
    const replays = visits.map((visited, at) =>
      visit(ports[at] as number, { ...client, session: ticketOf(visited) }),
    );
    const received = (await Promise.all(replays)).map((replayed) => replayed.received);
    expect(received).toEqual(['authorized as app, resumed', '', '']);
    expect([server12.stats().refusedPeers, server13.stats().refusedPeers]).toEqual([1, 1]);
  });
});

function mutual({ server }: World): { credentials: Credentials; clientCertificates: 'require' } {
  return { credentials: server, clientCertificates: 'require' };
}

/** A client whose certificate ends in one to two seconds; validity has whole seconds, the last one included. */
async function shortLived(): Promise<{ client: ReturnType<typeof bare>; expired: Date }> {
  // A validity of a day begins an hour before the issue, so this one ends in one to two seconds.
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 23 * 3_600_000 + 3_000 });
  const { chain, key } = await world.authority
    .issue({ kind: 'client', commonName: 'app', days: 1 })
    .finally(() => vi.useRealTimers());
  const credentials = createCredentials({ cert: chain, key, ca: world.authority.root });
  const expired = new Date((credentials.expiresAt as Date).getTime() + 1_010);
  return { client: bare(credentials), expired };
}
