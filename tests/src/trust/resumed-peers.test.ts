/** Peers whose session is resumed, while what decides on them has changed without a trace in the session. */
import { connect, lines, serve, type ConnectOptions, type RevocationSource } from '@knsock/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { versions, type Version } from '../support/raw-tls.js';
import { hear } from '../support/heard.js';
import { createWorld, portOf, type World } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});

/** A source whose answers change although its version doesn't, as those of a database may. */
function changingSource(): RevocationSource & { revokes: boolean; asked: number } {
  const source = {
    revokes: false,
    asked: 0,
    version: '1',
    onChange: () => () => undefined,
    check: () => {
      source.asked += 1;
      return { status: source.revokes ? ('revoked' as const) : ('good' as const), position: 1 };
    },
  };
  return source;
}

const serveOver = (version: Version, revocation?: RevocationSource) =>
  serve(
    {
      port: 0,
      host: '127.0.0.1',
      framing: lines(),
      credentials: world.server,
      clientCertificates: 'require',
      profile: { minVersion: version, maxVersion: version },
      ...(revocation && { revocation }),
    },
    ({ payload }) => payload,
  );

/** Exchanges a message, after which the client has a session to resume. */
async function exchange(options: Omit<ConnectOptions, 'framing' | 'onRequest'>): Promise<boolean> {
  await using client = await connect({ ...options, framing: lines() });
  expect(String(await client.request('x'))).toBe('x');
  return client.tls.resumed;
}

describe.each(versions)('a peer whose session is resumed over %s', (version) => {
  it('is refused as a client that has been revoked meanwhile', async () => {
    const revocation = changingSource();
    await using server = await serveOver(version, revocation);
    const options = { host: 'localhost', port: portOf(server), credentials: world.client };
    expect([await exchange(options), await exchange(options)]).toEqual([false, true]);
    expect(revocation.asked).toBe(2);
    revocation.revokes = true;
    using heard = hear('knsock:verdict');
    await expect(exchange(options)).rejects.toThrow();
    const ofServer = heard.events.filter(({ role }) => role === 'server');
    expect(ofServer).toMatchObject([{ ok: false, resumed: true }]);
    expect(server.stats().refusedPeers).toBe(1);
  });

  it('is refused as a server that has been revoked meanwhile', async () => {
    const revocation = changingSource();
    await using server = await serveOver(version);
    const options = { host: 'localhost', port: portOf(server), credentials: world.client, revocation };
    expect([await exchange(options), await exchange(options)]).toEqual([false, true]);
    expect(revocation.asked).toBe(2);
    revocation.revokes = true;
    await expect(exchange(options)).rejects.toMatchObject({ code: 'KNSOCK_PEER_REVOKED' });
  });
});
