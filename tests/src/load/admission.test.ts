import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect, listen, type ListenOptions, type SecureServer } from '@knsock/core';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { bareSocket, gone } from '../support/bare-socket.js';
import { clientHello } from '../support/client-hello.js';
import { hear } from '../support/heard.js';
import { createWorld, portOf, type World } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});

function echo(options: Omit<Partial<ListenOptions>, 'framing'>): Promise<SecureServer> {
  return listen({ port: 0, host: '127.0.0.1', credentials: world.server, ...options }, (connection) => {
    connection.onRequest(({ payload }) => payload);
  });
}

/** A good client asks, and leaves. */
async function ask(server: SecureServer): Promise<string> {
  await using client = await connect({
    host: 'localhost',
    port: portOf(server),
    credentials: world.anonymous,
  });
  return String(await client.request('hello'));
}

/** Sends a whole ClientHello, takes the answer, and says nothing more. */
async function stall(server: SecureServer): Promise<Socket> {
  const socket = await bareSocket(portOf(server));
  socket.write(await clientHello('localhost', ['knsock/1']));
  await once(socket, 'data');
  return socket;
}

describe('admission before the handshake', () => {
  it('counts refused sockets by limit, and reports their address', async () => {
    using heard = hear('knsock:admission');
    await using server = await echo({ deny: ['127.0.0.2/31'] });
    await gone(await bareSocket(portOf(server), '127.0.0.2'));
    await gone(await bareSocket(portOf(server), '127.0.0.3'));
    expect(await ask(server)).toBe('hello');
    expect(server.stats()).toMatchObject({ accepted: 3, admitted: 1, refusedSockets: { denied: 2 } });
    expect(heard.events).toEqual([
      { address: '127.0.0.2', limit: 'denied' },
      { address: '127.0.0.3', limit: 'denied' },
    ]);
  });

  it('admits only clients that the list allows, and deny takes precedence', async () => {
    await using server = await echo({ allow: ['127.0.0.0/30'], deny: ['127.0.0.3'] });
    await gone(await bareSocket(portOf(server), '127.0.0.3'));
    await gone(await bareSocket(portOf(server), '127.0.0.4'));
    expect(await ask(server)).toBe('hello');
    expect(server.stats().refusedSockets.denied).toBe(2);
  });

  it('holds each address to its limit, and gives the place back', async () => {
    await using server = await echo({ maxConnectionsPerAddress: 2 });
    const sockets = [];
    for (let n = 0; n < 2; n++) sockets.push(await bareSocket(portOf(server), '127.0.0.2'));
    await gone(await bareSocket(portOf(server), '127.0.0.2'));
    expect(server.stats().refusedSockets.address).toBe(1);
    expect(await ask(server)).toBe('hello');
    for (const socket of sockets) socket.destroy();
    await vi.waitFor(() => {
      expect(server.stats().pendingHandshakes).toBe(0);
    });
    const socket = await bareSocket(portOf(server), '127.0.0.2');
    await vi.waitFor(() => {
      expect(server.stats()).toMatchObject({ pendingHandshakes: 1, refusedSockets: { address: 1 } });
    });
    socket.destroy();
  });

  it('holds each network to its limit', async () => {
    await using server = await echo({ maxConnectionsPerNetwork: { limit: 1, ipv4Prefix: 28 } });
    const first = await bareSocket(portOf(server), '127.0.0.33');
    await gone(await bareSocket(portOf(server), '127.0.0.46'));
    expect(await ask(server)).toBe('hello');
    expect(server.stats().refusedSockets.network).toBe(1);
    first.destroy();
  });

  it('spends the accept rate only on clients that it admits', async () => {
    await using server = await echo({ acceptRate: { perSecond: 0.001, burst: 1 }, deny: ['127.0.0.2'] });
    for (let n = 0; n < 5; n++) await gone(await bareSocket(portOf(server), '127.0.0.2'));
    expect(await ask(server)).toBe('hello');
    await gone(await bareSocket(portOf(server)));
    expect(server.stats().refusedSockets).toMatchObject({ denied: 5, rate: 1 });
  });

  it.each([
    ['maxPendingHandshakes', { maxPendingHandshakes: 4 }, 'handshakes'],
    ['maxConnections', { maxConnections: 4 }, 'connections'],
  ] as const)('makes room for good clients among silent sockets: %s', async (_what, options, limit) => {
    await using server = await echo({ ...options, handshakeTimeout: 60_000 });
    const silent = [];
    for (let n = 0; n < 4; n++) silent.push(await bareSocket(portOf(server)));
    expect(await ask(server)).toBe('hello');
    await gone(silent[0] as never);
    expect(server.stats().refusedSockets[limit]).toBe(1);
    for (const socket of silent) socket.destroy();
  });

  it('makes room for good clients among handshakes that stopped in the middle, and spares who awaits a verdict', async () => {
    let decide = (_answer: boolean): void => undefined;
    const verdict = new Promise<boolean>((resolve) => (decide = resolve));
    await using server = await echo({
      maxPendingHandshakes: 3,
      handshakeTimeout: 60_000,
      clientCertificates: 'request',
      authorize: (peer) => peer === null || verdict,
    });
    const reach = { host: 'localhost', port: portOf(server), connectTimeout: 60_000 };
    const judged = connect({ ...reach, credentials: world.client });
    await vi.waitFor(() => {
      expect(server.stats().pendingHandshakes).toBe(1);
    });
    const stalled = [await stall(server), await stall(server)];
    await vi.waitFor(
      async () => {
        expect(await ask(server)).toBe('hello');
      },
      { timeout: 20_000, interval: 100 },
    );
    await gone(stalled[0] as never);
    decide(true);
    const client = await judged;
    expect(String(await client.request('patient'))).toBe('patient');
    await client.close();
    stalled[1]?.destroy();
  });

  it('never ends a connection for a new client', async () => {
    await using server = await echo({ maxConnections: 1 });
    await using client = await connect({
      host: 'localhost',
      port: portOf(server),
      credentials: world.anonymous,
    });
    await gone(await bareSocket(portOf(server)));
    expect(String(await client.request('still here'))).toBe('still here');
    expect(server.stats()).toMatchObject({ connections: 1, refusedSockets: { connections: 1 } });
  });

  it('gives accept to authorised one deadline, a verdict that hangs included', async () => {
    using heard = hear('knsock:failure');
    await using server = await echo({
      handshakeTimeout: 300,
      clientCertificates: 'require',
      authorize: () => new Promise<boolean>(() => undefined),
    });
    await gone(await bareSocket(portOf(server)));
    const client = connect({ host: 'localhost', port: portOf(server), credentials: world.client });
    await expect(client).rejects.toMatchObject({ code: expect.stringMatching(/^KNSOCK_/) as unknown });
    expect(heard.events.map(({ error }) => (error as { code: string }).code)).toEqual([
      'KNSOCK_HANDSHAKE_TIMEOUT',
      'KNSOCK_VERDICT_TIMEOUT',
    ]);
    expect(server.stats()).toMatchObject({ pendingHandshakes: 0, failedHandshakes: 1, refusedPeers: 1 });
  });
});
