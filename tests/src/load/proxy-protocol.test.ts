import { connect, listen, type ListenOptions, type ProxyHeader, type SecureServer } from '@knsock/core';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { bareSocket, gone, say } from '../support/bare-socket.js';
import { FaultProxy } from '../support/fault-proxy.js';
import { hear } from '../support/heard.js';
import { createWorld, portOf, type World } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});

type Options = Omit<Partial<ListenOptions>, 'framing'>;

/** Answers with what the proxy said of the client. */
function whoAsks(options: Options): Promise<SecureServer> {
  return listen({ port: 0, host: '127.0.0.1', credentials: world.server, ...options }, (connection) => {
    const { remote, proxy } = connection;
    const tlvs = proxy?.tlvs.map(({ type, value }) => [type, String(value)]);
    connection.onRequest(() => JSON.stringify([remote?.address, proxy?.version, tlvs]));
  });
}

const trusted: Options = { proxyProtocol: { from: ['127.0.0.1'] } };

function headerFrom(address: string, more: Partial<ProxyHeader> = {}): ProxyHeader {
  const destination = { address: address.includes(':') ? '::1' : '127.0.0.1', port: 443 };
  return { source: { address, port: 1_234 }, destination, ...more };
}

function clientOf(port: number, proxyHeader: ProxyHeader) {
  // A session would be given up, and all of it tried again without.
  const resume = false;
  return connect({ host: 'localhost', port, credentials: world.anonymous, proxyHeader, resume });
}

async function ask(port: number, proxyHeader: ProxyHeader): Promise<unknown> {
  await using client = await clientOf(port, proxyHeader);
  return JSON.parse(String(await client.request('')));
}

describe('proxyProtocol', () => {
  it.each([
    ['v1, IPv4', headerFrom('192.0.2.7', { version: 1 }), ['192.0.2.7', 1, []]],
    ['v1, IPv6', headerFrom('2001:db8::7', { version: 1 }), ['2001:db8::7', 1, []]],
    ['v2, IPv4', headerFrom('192.0.2.7'), ['192.0.2.7', 2, []]],
    [
      'v2, IPv6 with an extension',
      headerFrom('2001:db8::7', { tlvs: [{ type: 0xe1, value: Buffer.from('blue') }] }),
      ['2001:db8::7', 2, [[0xe1, 'blue']]],
    ],
  ])('tells the true client: %s, whole and byte by byte', async (_what, header, expected) => {
    await using server = await whoAsks(trusted);
    expect(await ask(portOf(server), header)).toEqual(expected);
    await using wire = await FaultProxy.start(portOf(server), { slice: 1 });
    expect(await ask(wire.port, header)).toEqual(expected);
  });

  it('goes together with names of their own', async () => {
    const credentials = world.server;
    await using server = await whoAsks({
      ...trusted,
      sni: { localhost: { credentials } },
      unknownName: 'refuse',
    });
    expect(await ask(portOf(server), headerFrom('192.0.2.7'))).toEqual(['192.0.2.7', 2, []]);
  });

  it('makes limits and lists count the true client', async () => {
    using heard = hear('knsock:admission');
    await using server = await whoAsks({
      ...trusted,
      maxConnectionsPerAddress: 1,
      deny: ['198.51.100.0/24'],
    });
    const port = portOf(server);
    const first = await clientOf(port, headerFrom('192.0.2.1'));
    const second = await clientOf(port, headerFrom('192.0.2.2'));
    await expect(clientOf(port, headerFrom('192.0.2.1'))).rejects.toMatchObject({ retryable: true });
    await expect(clientOf(port, headerFrom('198.51.100.9'))).rejects.toMatchObject({ retryable: true });
    expect(server.stats()).toMatchObject({ connections: 2, refusedSockets: { address: 1, denied: 1 } });
    expect(heard.events).toEqual([
      { address: '192.0.2.1:1234', limit: 'address' },
      { address: '198.51.100.9:1234', limit: 'denied' },
    ]);
    await first.close();
    await vi.waitFor(() => expect(server.stats().connections).toBe(1));
    await (await clientOf(port, headerFrom('192.0.2.1'))).close();
    await second.close();
  });

  it('believes nobody but the proxies it trusts', async () => {
    using heard = hear('knsock:failure');
    await using server = await whoAsks({ proxyProtocol: { from: ['127.0.0.2'] } });
    await expect(clientOf(portOf(server), headerFrom('192.0.2.7'))).rejects.toMatchObject({
      name: 'HandshakeError',
    });
    expect(heard.events[0]).toMatchObject({ error: { reason: 'not-tls' } });
    await using direct = await connect({
      host: 'localhost',
      port: portOf(server),
      credentials: world.anonymous,
    });
    expect(JSON.parse(String(await direct.request('')))).toEqual(['127.0.0.1', null, null]);
  });

  it('refuses a trusted proxy that sends no header, or half of one', async () => {
    using heard = hear('knsock:failure');
    await using server = await whoAsks({ ...trusted, handshakeTimeout: 300 });
    await say(portOf(server), Buffer.from([22, 3, 1, 0, 200, 1]));
    const half = await bareSocket(portOf(server));
    half.write('PROXY TCP4 192.0.2.7');
    await gone(half);
    expect(heard.events.map(({ error }) => (error as { code: string }).code)).toEqual([
      'KNSOCK_PROXY_HEADER',
      'KNSOCK_HANDSHAKE_TIMEOUT',
    ]);
    expect(server.stats()).toMatchObject({ failedHandshakes: 2, pendingHandshakes: 0 });
  });
});
