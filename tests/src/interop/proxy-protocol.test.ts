/** The PROXY protocol with HAProxy on the other side: what it sends to us, and what it takes from us. */
import { connect as connectTcp } from 'node:net';
import { connect, listen, type SecureConnection, type SecureServer } from '@knsock/core';
import { beforeAll, expect, it, vi } from 'vitest';
import { createWorld, portOf, type World } from '../support/world.js';
import { startHaproxy } from './haproxy.js';
import type { Program } from './program.js';
import { needsTools } from './tools.js';

const UNIQUE_ID = 5;
const CRC32C = 3;

let world: World;
beforeAll(async () => {
  world = await createWorld();
});

/** Answers with who asks, as HAProxy told it. */
function whoAsks(options: object = {}): Promise<SecureServer> {
  const proxyProtocol = { from: ['127.0.0.1'] };
  return listen(
    { port: 0, host: '127.0.0.1', credentials: world.server, proxyProtocol, ...options },
    (connection) => {
      const { remote, proxy } = connection;
      connection.onRequest(() => JSON.stringify({ remote, version: proxy?.version }));
    },
  );
}

/** A client that reaches HAProxy from an address of its own. */
function clientFrom(localAddress: string, { port }: Program): Promise<SecureConnection> {
  const socket = connectTcp({ port, host: '127.0.0.1', localAddress });
  return connect({ socket, servername: 'localhost', credentials: world.anonymous });
}

it.for([
  ['send-proxy', 1],
  ['send-proxy-v2', 2],
] as const)('takes the client that HAProxy speaks for: %s', async ([server, version], context) => {
  needsTools(context, 'haproxy');
  await using knsock = await whoAsks();
  await using haproxy = await startHaproxy(portOf(knsock), { server });
  await using client = await clientFrom('127.0.0.77', haproxy);
  expect(JSON.parse(String(await client.request('')))).toMatchObject({
    remote: { address: '127.0.0.77', port: client.socket.localPort },
    version,
  });
});

it("reads HAProxy's extensions, its checksum proved", async (context) => {
  needsTools(context, 'haproxy');
  await using knsock = await whoAsks();
  const options = { server: 'send-proxy-v2 proxy-v2-options crc32c,unique-id' };
  await using haproxy = await startHaproxy(portOf(knsock), options);
  await using client = await clientFrom('127.0.0.77', haproxy);
  await client.request('');
  const [there] = knsock.connections();
  const tlvs = new Map(there?.proxy?.tlvs.map(({ type, value }) => [type, value]));
  expect(String(tlvs.get(UNIQUE_ID))).toBe('knsock-127.0.0.77');
  expect(tlvs.get(CRC32C)).toHaveLength(4);
});

it('counts the clients behind HAProxy one by one', async (context) => {
  needsTools(context, 'haproxy');
  await using knsock = await whoAsks({ maxConnectionsPerAddress: 1, deny: ['127.0.0.99'] });
  await using haproxy = await startHaproxy(portOf(knsock), { server: 'send-proxy-v2' });
  await using first = await clientFrom('127.0.0.71', haproxy);
  await using second = await clientFrom('127.0.0.72', haproxy);
  await expect(clientFrom('127.0.0.71', haproxy)).rejects.toMatchObject({ retryable: true });
  await expect(clientFrom('127.0.0.99', haproxy)).rejects.toMatchObject({ retryable: true });
  for (const client of [first, second]) await client.request('');
  expect(knsock.stats()).toMatchObject({ connections: 2, refusedSockets: { address: 1, denied: 1 } });
});

it("lets HAProxy's health checks through, as the proxy that they are", async (context) => {
  needsTools(context, 'haproxy');
  await using knsock = await whoAsks();
  const server = 'send-proxy-v2 check inter 100ms check-send-proxy';
  await using haproxy = await startHaproxy(portOf(knsock), { server });
  await vi.waitFor(() => expect(knsock.stats().accepted).toBeGreaterThan(3));
  await using client = await clientFrom('127.0.0.77', haproxy);
  expect(String(await client.request(''))).toContain('127.0.0.77');
  expect(knsock.stats()).toMatchObject({ refusedSockets: { denied: 0 }, connections: 1 });
});

it.for([1, 2] as const)('speaks for a client to HAProxy: version %i', async (version, context) => {
  needsTools(context, 'haproxy');
  await using knsock = await whoAsks();
  await using haproxy = await startHaproxy(portOf(knsock), { bind: 'accept-proxy', server: 'send-proxy-v2' });
  const source = { address: '192.0.2.7', port: 1_234 };
  await using client = await connect({
    host: 'localhost',
    port: haproxy.port,
    credentials: world.anonymous,
    proxyHeader: { source, destination: { address: '198.51.100.1', port: 443 }, version },
  });
  expect(JSON.parse(String(await client.request('')))).toEqual({ remote: source, version: 2 });
});
