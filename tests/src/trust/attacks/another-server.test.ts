import { randomBytes } from 'node:crypto';
import { createCredentials, type Credentials } from '@knsock/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { bare, stockServer, ticketOf, versions, visit } from '../../support/raw-tls.js';
import { createWorld, portOf, type World } from '../../support/world.js';
import { ourServer } from './ours.js';

let world: World;
let other: World;
beforeAll(async () => {
  [world, other] = await Promise.all([createWorld(), createWorld('Other CA')]);
});

async function serverCalled(names: string[], { authority }: World = world): Promise<Credentials> {
  const { chain, key } = await authority.issue({ kind: 'server', names, days: 7 });
  return createCredentials({ cert: chain, key, ca: world.authority.root });
}

describe.each(versions)('a ticket from a server with another certificate, over %s', (version) => {
  const client = () => ({ ...bare(world.anonymous), servername: 'a.test', maxVersion: version });

  it('makes any server with the keys authorized for stock Node', async () => {
    const shared = { ticketKeys: randomBytes(48), maxVersion: version };
    await using first = await stockServer({ ...bare(await serverCalled(['a.test'])), ...shared });
    await using second = await stockServer({ ...bare(await serverCalled(['b.test'])), ...shared });
    const session = ticketOf(await visit(first.port, client()));
    expect(await visit(second.port, client())).toMatchObject({ authorized: false });
    expect(await visit(second.port, { ...client(), session })).toMatchObject({
      authorized: true,
      resumed: true,
    });
  });

  it('opens nothing at ours, though the secret is shared', async () => {
    const shared = { ticketSecret: randomBytes(32) };
    await using first = await ourServer(version, { ...shared, credentials: await serverCalled(['a.test']) });
    const session = ticketOf(await visit(portOf(first), client()));
    const others = [
      await serverCalled(['b.test']),
      await serverCalled(['a.test', 'b.test']),
      await serverCalled(['*.test']),
      await serverCalled(['a.test'], other),
    ];
    for (const credentials of others) {
      await using second = await ourServer(version, { ...shared, credentials });
      expect(await visit(portOf(second), { ...client(), session })).toMatchObject({ resumed: false });
    }
  });

  it('is good at another machine of the same name, and after a renewal', async () => {
    const shared = { ticketSecret: randomBytes(32) };
    await using first = await ourServer(version, { ...shared, credentials: await serverCalled(['a.test']) });
    await using second = await ourServer(version, { ...shared, credentials: await serverCalled(['a.test']) });
    const session = ticketOf(await visit(portOf(first), client()));
    expect(await visit(portOf(second), { ...client(), session })).toMatchObject({ resumed: true });
    await first.rotate(await serverCalled(['a.test']));
    expect(await visit(portOf(first), { ...client(), session })).toMatchObject({ resumed: true });
  });
});
