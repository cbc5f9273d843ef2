import { connect, listen, raw, UntrustedPeerError } from '@knsock/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { createWorld, portOf, type World } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});

describe('a server that was verified before', () => {
  it('is still refused under another name', async () => {
    const options = { port: 0, host: '127.0.0.1', credentials: world.server, framing: raw() };
    await using server = await listen(options, () => undefined);
    const reach = {
      host: '127.0.0.1',
      port: portOf(server),
      credentials: world.anonymous,
      framing: raw(),
      resume: false,
    };
    for (let times = 0; times < 3; times += 1) {
      const connection = await connect({ ...reach, expectedName: 'localhost' });
      connection.destroy();
      const misled = connect({ ...reach, expectedName: 'other.example' });
      await expect(misled).rejects.toBeInstanceOf(UntrustedPeerError);
      await expect(misled).rejects.toMatchObject({ reason: 'wrong-name' });
    }
  });

  it("leaves Node's own socket unchanged", async () => {
    const options = { port: 0, host: '127.0.0.1', credentials: world.server, framing: raw() };
    await using server = await listen(options, () => undefined);
    const reach = { host: 'localhost', port: portOf(server), credentials: world.anonymous, framing: raw() };
    await using connection = await connect({ ...reach, resume: false });
    expect(Object.hasOwn(connection.socket, 'getPeerCertificate')).toBe(false);
  });
});
