import { createHash, X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { bare, stockServer, ticketOf, versions, visit } from '../../support/raw-tls.js';
import { createWorld, type World } from '../../support/world.js';
import { ourVisit } from './our-client.js';

const wrongPin = `sha256/${Buffer.alloc(32, 7).toString('base64')}`;

let world: World;
beforeAll(async () => {
  world = await createWorld();
});

describe.each(versions)('a session begun under other pins, over %s', (version) => {
  it('passes the pin checks of stock Node, which have no certificate to check', async () => {
    await using server = await stockServer({ ...bare(world.server), maxVersion: version });
    let asked = 0;
    const checkServerIdentity = () => {
      asked += 1;
      return new Error('not pinned');
    };
    const client = { ...bare(world.anonymous), servername: 'localhost' };
    const session = ticketOf(await visit(server.port, client));
    expect((await visit(server.port, { ...client, checkServerIdentity })).authorized).toBe(false);
    expect((await visit(server.port, { ...client, checkServerIdentity, session })).authorized).toBe(true);
    expect(asked).toBe(1);
  });

  it('passes ours only where a new one would', async () => {
    await using server = await stockServer({ ...bare(world.server), maxVersion: version });
    const options = { credentials: world.anonymous, servername: 'localhost' };
    const pins = [pinOf(world.server.material.cert)];
    await ourVisit(version, server.port, options);
    expect(await ourVisit(version, server.port, { ...options, pins })).toBe(false);
    expect(await ourVisit(version, server.port, { ...options, pins })).toBe(true);
    for (const mode of [{}, { pinsOnly: true }]) {
      await expect(
        ourVisit(version, server.port, { ...options, ...mode, pins: [wrongPin] }),
      ).rejects.toMatchObject({ code: 'KNSOCK_PEER_PIN_MISMATCH' });
    }
  });

  it('is verified by its pins where only those count', async () => {
    await using server = await stockServer({ ...bare(world.server), maxVersion: version });
    const pinned = { pins: [pinOf(world.server.material.cert)], pinsOnly: true };
    expect(await ourVisit(version, server.port, pinned)).toBe(false);
    expect(await ourVisit(version, server.port, pinned)).toBe(true);
  });
});

function pinOf(pem: string): string {
  const spki = new X509Certificate(pem).publicKey.export({ type: 'spki', format: 'der' });
  return `sha256/${createHash('sha256').update(spki).digest('base64')}`;
}
