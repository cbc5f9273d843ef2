/** How an end is heard where one side still holds something: a cut at a deadline, a reset behind an end, a request given up. */
import { once } from 'node:events';
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createServer as createTlsServer } from 'node:tls';
import {
  connect,
  lengthPrefixed,
  lines,
  listen,
  raw,
  type Framing,
  type SecureConnection,
  type SecureServer,
} from '@knsock/core';
import { ConnectionPool } from '@knsock/pool';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createWorld, portOf, type World } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});

const servers: SecureServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close({ deadline: 0 })));
});

/** Far below any deadline that ends a connection, and far above what a busy machine takes, in milliseconds. */
const SOON = 4_000;

interface Accepted {
  readonly server: SecureServer;
  readonly client: SecureConnection;
  readonly accepted: SecureConnection;
}

type Handler = (connection: SecureConnection) => unknown;

async function pair(framing: Framing, handler: Handler): Promise<Accepted> {
  let accepted: SecureConnection | undefined;
  const place = { port: 0, host: '127.0.0.1' };
  const options = { ...place, credentials: world.server, framing, onError: () => undefined };
  const server = await listen(options, (connection) => {
    accepted = connection;
    return handler(connection) as Promise<void>;
  });
  servers.push(server);
  const client = await connect({
    ...place,
    port: portOf(server),
    credentials: world.anonymous,
    framing,
    onError: () => undefined,
  });
  await expect.poll(() => accepted).toBeDefined();
  return { server, client, accepted: accepted as SecureConnection };
}

async function keyAndCertificate(): Promise<{ key: string; cert: string }> {
  const { key, chain } = await world.authority.issue({ kind: 'server', names: ['127.0.0.1'], days: 7 });
  return { key, cert: chain };
}

async function soon<T>(promise: Promise<T>): Promise<T> {
  const since = performance.now();
  const value = await promise;
  expect(performance.now() - since).toBeLessThan(SOON);
  return value;
}

async function all(stream: Duplex): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  return text;
}

describe('a cut at a deadline', () => {
  it.each<[string, Handler]>([
    ['reads messages', (connection) => connection.receive().then(() => new Promise(() => undefined))],
    ['holds a stream', (connection) => void connection.stream().resume()],
  ])('is heard by a client that holds a stream, where the server %s', async (_, handler) => {
    const { server, client, accepted } = await pair(raw(), handler);
    const stream = client.stream();
    stream.on('error', () => undefined);
    let hasEnded = false;
    stream.on('end', () => (hasEnded = true));
    stream.resume();
    stream.write('hello');
    await expect.poll(() => accepted.stats().bytesReceived).toBe(5);
    await server.close({ deadline: 200 });
    expect((await soon(client.closed)).error).toMatchObject({ code: 'KNSOCK_CONNECTION_RESET' });
    expect(hasEnded).toBe(false);
  });

  it('is heard by a client that had seen the end of the other direction', async () => {
    const sockets: Socket[] = [];
    const { key, cert } = await keyAndCertificate();
    const secure = createTlsServer({ key, cert }, (socket) => {
      socket.on('error', () => undefined);
      socket.end('all of it');
    });
    const listener = createTcpServer({ allowHalfOpen: true }, (socket) => {
      sockets.push(socket.on('error', () => undefined));
      secure.emit('connection', socket);
    });
    await once(listener.listen(0, '127.0.0.1'), 'listening');
    const { port } = listener.address() as AddressInfo;
    const framing = raw();
    const client = await connect({ port, host: '127.0.0.1', credentials: world.anonymous, framing });
    const stream = client.stream();
    stream.on('error', () => undefined);
    expect(await all(stream)).toBe('all of it');
    expect(client.state).not.toBe('closed');
    for (const socket of sockets) socket.resetAndDestroy();
    expect((await soon(client.closed)).error).toMatchObject({ code: 'KNSOCK_CONNECTION_RESET' });
    listener.close();
  });
});

describe.each<[string, Framing]>([
  ['lines', lines()],
  ['length-prefixed', lengthPrefixed()],
  ['raw', raw()],
])('a request that is given up on %s', (_, framing) => {
  it("fires the signal of the server's handler, and frees its place at once", async () => {
    let fired: Promise<unknown> | undefined;
    const { server, client } = await pair(framing, (connection) => {
      connection.onRequest(({ signal }) => {
        fired = once(signal, 'abort');
        return fired.then(() => 'too late');
      });
    });
    const request = client.request('work', { timeout: 300 });
    await expect(request).rejects.toMatchObject({ code: 'KNSOCK_REQUEST_TIMEOUT' });
    await soon(fired as Promise<unknown>);
    await expect.poll(() => server.stats().connections).toBe(0);
  });
});

it("a pool's places on the server are free again once its requests were given up", async () => {
  const place = {
    port: 0,
    host: '127.0.0.1',
    credentials: world.server,
    framing: lines(),
    maxConnections: 2,
  };
  const server = await listen(place, (connection) => {
    connection.onRequest(() => new Promise<never>(() => undefined));
  });
  servers.push(server);
  await using pool = new ConnectionPool({
    endpoints: [{ host: '127.0.0.1', port: portOf(server) }],
    credentials: world.anonymous,
    framing: lines(),
    max: 2,
    onError: () => undefined,
  });
  for (let round = 0; round < 3; round += 1) {
    const asked = [1, 2].map(() => pool.request('work', { timeout: 300 }));
    for (const { status } of await Promise.allSettled(asked)) expect(status).toBe('rejected');
    await expect.poll(() => server.stats().connections).toBe(0);
  }
  expect(server.stats()).toMatchObject({ admitted: 6 });
});
