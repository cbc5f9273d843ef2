import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import {
  connect,
  knsock,
  lengthPrefixed,
  listen,
  raw,
  type ClosedInfo,
  type SecureConnection,
} from '@knsock/core';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { bare } from '../support/raw-tls.js';
import { createWorld, portOf, type World } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});

const local = () => ({ port: 0, host: '127.0.0.1', credentials: world.server });
const to = (server: Parameters<typeof portOf>[0]) => ({
  host: 'localhost',
  port: portOf(server),
  credentials: world.anonymous,
});

describe('a handler that fails', () => {
  it.each([
    [
      'throws',
      () => {
        throw new Error('broken');
      },
    ],
    ['rejects', () => Promise.reject(new Error('broken'))],
  ] as const)('and %s ends its own connection and no other', async (_, fail) => {
    const ended: ClosedInfo[] = [];
    const seen: SecureConnection[] = [];
    await using server = await listen(local(), (connection) => {
      seen.push(connection);
      connection.onMessage((message) => connection.write(message));
      if (seen.length !== 2) return;
      void connection.closed.then((info) => ended.push(info));
      return fail();
    });
    await using first = await connect(to(server));
    await vi.waitFor(() => expect(seen).toHaveLength(1));
    const second = await connect(to(server));
    expect((await second.closed).clean).toBe(false);
    await vi.waitFor(() => expect(ended).toMatchObject([{ clean: false, error: { message: 'broken' } }]));
    await first.send('still here');
    expect(String(await first.receive())).toBe('still here');
    await using third = await connect(to(server));
    await third.send('third');
    expect(String(await third.receive())).toBe('third');
  });

  it('ends neither its connection nor the listener by returning: a connection stays until it is closed', async () => {
    await using server = await listen(local(), () => undefined);
    await using client = await connect(to(server));
    await client.ping();
    expect(client.state).toBe('open');
  });
});

describe('a handler that closes its own connection', () => {
  it.each([
    ['raw', raw(), 'unknown'],
    ['length-prefixed', lengthPrefixed(), 'unknown'],
    ['knsock', knsock(), true],
  ] as const)(
    "and awaits that isn't waiting for itself: %s",
    async (_, framing, clean) => {
      let served = 0;
      await using server = await listen({ ...local(), framing }, async (connection) => {
        connection.onMessage(async (message) => {
          await connection.send(message);
          await connection.close();
        });
        await connection.send('welcome');
        if (++served % 2 === 0) await connection.close();
      });
      for (let count = 0; count < 4; count += 1) {
        const client = await connect({ ...to(server), framing });
        expect(String(await client.receive())).toBe('welcome');
        await client.send('bye').catch(() => undefined);
        await client.close();
        expect(await client.closed).toEqual({ clean });
      }
    },
    5_000,
  );
});

describe('how a connection ended', () => {
  it('is unclean on framings that announce their end, where the peer left without it', async () => {
    await using server = await listen(local(), (connection) => {
      connection.socket.destroy();
    });
    const client = await connect(to(server));
    expect(await client.closed).toMatchObject({ clean: false });
    expect(client.state).toBe('closed');
  });

  it("is unknown on raw, which can't report it, and isn't taken for a refusal though no byte came", async () => {
    await using server = await listen({ ...local(), framing: raw() }, (connection) => connection.close());
    const client = await connect({ ...to(server), framing: raw() });
    expect(await client.receive()).toBe(null);
    await client.close();
    expect(await client.closed).toEqual({ clean: 'unknown' });
  });

  it('names a message that was cut off', async () => {
    await using server = await listen({ ...local(), framing: lengthPrefixed() }, (connection) => {
      connection.socket.end(Buffer.from([0, 0, 0, 9, 1, 2]));
    });
    const client = await connect({ ...to(server), framing: lengthPrefixed() });
    await expect(client.receive()).rejects.toMatchObject({ code: 'KNSOCK_TRUNCATED_MESSAGE' });
    expect(await client.closed).toMatchObject({ clean: false, error: { code: 'KNSOCK_TRUNCATED_MESSAGE' } });
  });

  it('is reported to waiting and later calls', async () => {
    await using server = await listen(local(), () => undefined);
    const client = await connect(to(server));
    const waiting = client.receive();
    client.destroy(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    await expect(client.send('x')).rejects.toThrow();
    await expect(client.request('x')).rejects.toThrow();
    expect(await client.closed).toMatchObject({ clean: false, error: { message: 'enough' } });
  });
});

describe('deadlines', () => {
  it('close the socket of a peer that never finishes its handshake', async () => {
    await using server = await listen({ ...local(), handshakeTimeout: 50 }, () => undefined);
    const silent = connectTcp(portOf(server), '127.0.0.1');
    silent.on('error', () => undefined);
    silent.resume();
    await once(silent, 'close');
    expect(server.stats()).toMatchObject({ pendingHandshakes: 0, failedHandshakes: 1 });
  });

  it('close the socket of a peer that stops in the middle of a ClientHello', async () => {
    // Where the hello isn't read first, Node has a deadline of its own as well.
    const options = { ...local(), handshakeTimeout: 50, unknownName: 'refuse' as const };
    await using server = await listen(options, () => undefined);
    const slow = connectTcp(portOf(server), '127.0.0.1');
    slow.on('error', () => undefined);
    slow.write(Buffer.from('160301020001000', 'hex'));
    slow.resume();
    await once(slow, 'close');
    expect(server.stats().pendingHandshakes).toBe(0);
  });

  it.each([
    ['TLS reads', {}],
    ['is read for its name', { unknownName: 'refuse' as const }],
  ])('close the socket of a peer whose ClientHello never ends, where it %s', async (_, options) => {
    await using server = await listen({ ...local(), handshakeTimeout: 50, ...options }, () => undefined);
    const slow = connectTcp(portOf(server), '127.0.0.1');
    slow.on('error', () => undefined).resume();
    slow.write(Buffer.from('160301400001003ffc0303', 'hex'));
    const drip = setInterval(() => slow.write('x'), 5);
    await once(slow, 'close');
    clearInterval(drip);
    expect(server.stats()).toMatchObject({ pendingHandshakes: 0, failedHandshakes: 1 });
  });

  it('name the phase that was waited for', async () => {
    await using silent = await listen({ ...local(), framing: raw() }, () => undefined);
    const impatient = { connectTimeout: 100, credentials: world.anonymous };
    const { createServer } = await import('node:net');
    const mute = createServer(() => undefined).listen(0, '127.0.0.1');
    await once(mute, 'listening');
    const { port } = mute.address() as { port: number };
    await expect(connect({ host: 'localhost', port, ...impatient })).rejects.toMatchObject({
      phase: 'tls',
      ms: 100,
    });
    mute.close();
    // A server that agrees to knsock/1 and then sends nothing.
    const { createServer: createTls } = await import('node:tls');
    const dumb = createTls({ ...bare(world.server), ALPNProtocols: ['knsock/1'] }, (socket) =>
      socket.resume(),
    );
    dumb.listen(0, '127.0.0.1');
    await once(dumb, 'listening');
    const address = dumb.address() as { port: number };
    await expect(connect({ host: 'localhost', port: address.port, ...impatient })).rejects.toMatchObject({
      code: 'KNSOCK_CONNECT_TIMEOUT',
      phase: 'welcome',
    });
    dumb.close();
    expect(silent.stats().connections).toBe(0);
  });

  it('and signals end the attempt at once', async () => {
    await using server = await listen(local(), () => undefined);
    const reason = new Error('not any more');
    await expect(connect({ ...to(server), signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});

describe('a host name that the resolver refuses', () => {
  const host = 'x'.repeat(300); // DNS has names of 253 bytes
  const unresolved = { code: 'KNSOCK_HOST_NOT_FOUND' };

  it('is one without an address, for a client and for a server', async () => {
    await expect(connect({ host, port: 1, credentials: world.anonymous })).rejects.toMatchObject(unresolved);
    await expect(listen({ ...local(), host }, () => undefined)).rejects.toMatchObject(unresolved);
  });
});
