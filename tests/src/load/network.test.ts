/** Networks that delay, slice and cut: what was sent arrives whole and in order, or its sender gets an error. */
import { connect, listen, serve, type SecureConnection } from '@knsock/core';
import { beforeAll, expect, it, vi } from 'vitest';
import { FaultProxy, type Faults } from '../support/fault-proxy.js';
import { createWorld, portOf, type World } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});

function at() {
  return { port: 0, host: '127.0.0.1', credentials: world.server };
}

function through(proxy: FaultProxy): Promise<SecureConnection> {
  return connect({ host: 'localhost', port: proxy.port, credentials: world.anonymous, resume: false });
}

it.each<[string, Faults]>([
  ['delayed', { latency: 20 }],
  ['in slices of a byte', { slice: 1 }],
  ['delayed and in slices', { latency: 1, slice: 100 }],
])('messages and answers arrive whole and in order: %s', async (_what, faults) => {
  const heard: string[] = [];
  await using server = await listen(at(), (connection) => {
    connection.onMessage((message) => void heard.push(String(message)));
    connection.onRequest(({ payload }) => payload);
  });
  await using proxy = await FaultProxy.start(portOf(server), faults);
  await using client = await through(proxy);
  const sent = Array.from({ length: 50 }, (_, n) => `message ${n} ${'x'.repeat(n)}`);
  for (const message of sent) client.write(message);
  const answers = await Promise.all(sent.map((message) => client.request(message)));
  expect(answers.map(String)).toEqual(sent);
  expect(heard).toEqual(sent);
});

it('a connection that is cut at any place fails its requests, and the server is ready for the next', async () => {
  let begun = 0;
  await using server = await serve(at(), ({ payload }) => {
    begun += 1;
    return payload;
  });
  // From within the handshake to well behind it.
  for (let bytes = 1; bytes < 6_000; bytes += 499) {
    const faults: Faults = { slice: 64, cutAfter: { direction: 'up', bytes } };
    await using proxy = await FaultProxy.start(portOf(server), faults);
    await expect(askOn(proxy)).rejects.toMatchObject({
      code: expect.stringMatching(/^KNSOCK_/) as unknown,
    });
  }
  await vi.waitFor(() => expect(server.stats()).toMatchObject({ connections: 0, pendingHandshakes: 0 }));
  expect(begun).toBeGreaterThan(0);
  await using client = await connect({
    host: 'localhost',
    port: portOf(server),
    credentials: world.anonymous,
  });
  expect(String(await client.request('next'))).toBe('next');
});

/** Asks until the connection breaks. */
async function askOn(proxy: FaultProxy): Promise<never> {
  const client = await through(proxy);
  for (;;) await client.request(Buffer.alloc(500));
}

it('a network that swallows everything ends at the deadlines', async () => {
  await using server = await serve(at(), ({ payload }) => payload);
  await using proxy = await FaultProxy.start(portOf(server));
  const client = await through(proxy);
  await client.request('here');
  proxy.swallow();
  await expect(client.request('swallowed', { timeout: 100 })).rejects.toMatchObject({
    code: 'KNSOCK_REQUEST_TIMEOUT',
  });
  const options = { host: 'localhost', port: proxy.port, credentials: world.anonymous };
  await expect(connect({ ...options, connectTimeout: 200 })).rejects.toMatchObject({
    code: 'KNSOCK_CONNECT_TIMEOUT',
    phase: 'tls',
  });
  await client.close({ deadline: 100 });
  expect(await client.closed).toMatchObject({ error: { code: 'KNSOCK_DRAIN_TIMEOUT' } });
});
