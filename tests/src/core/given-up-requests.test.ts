/** Requests that a side gave up, whose handlers go on all the same, as most handlers do. */
import { once } from 'node:events';
import { connect, knsock, lines, listen, serve, type SecureConnection } from '@knsock/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { createWorld, portOf, type World } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});

/** Far below `drainTimeout`, which no case may need; far above what a busy machine takes. */
const SOON = 8_000;

const never = () => new Promise<never>(() => undefined);
const local = () => ({ port: 0, host: '127.0.0.1', credentials: world.server });
const to = (server: Parameters<typeof portOf>[0]) => ({
  host: 'localhost',
  port: portOf(server),
  credentials: world.anonymous,
});

const waysToGiveUp: Record<string, (connection: SecureConnection) => Promise<unknown>> = {
  'its timeout': (connection) => connection.request('x', { timeout: 20 }),
  'its signal': (connection) => {
    const { signal, abort } = aborter();
    const asked = connection.request('x', { signal });
    setImmediate(abort);
    return asked;
  },
  'its signal, in the turn in which it was sent': (connection) => {
    const { signal, abort } = aborter();
    const asked = connection.request('x', { signal });
    abort();
    return asked;
  },
};

describe.each(Object.entries(waysToGiveUp))('after a request was given up by %s', (_, giveUp) => {
  it('the client closes at once, and the server is free of it', { timeout: SOON }, async () => {
    await using server = await serve(local(), never);
    const client = await connect(to(server));
    await expect(giveUp(client)).rejects.toThrow();
    await client.close();
    expect(await client.closed).toEqual({ clean: true });
  });

  it('the client still waits for the answers that it wants', { timeout: SOON }, async () => {
    let answer!: (text: string) => void;
    const asked = new Promise<string>((resolve) => (answer = resolve));
    await using server = await serve(local(), ({ payload }) => (String(payload) === 'x' ? never() : asked));
    const client = await connect(to(server));
    const wanted = client.request('wanted');
    await expect(giveUp(client)).rejects.toThrow();
    const closing = client.close();
    answer('here it is');
    expect(String(await wanted)).toBe('here it is');
    await closing;
    expect(await client.closed).toEqual({ clean: true });
  });

  it('the server closes at once where it was the one that asked', { timeout: SOON }, async () => {
    let connected!: (connection: SecureConnection) => void;
    const there = new Promise<SecureConnection>((resolve) => (connected = resolve));
    const server = await listen(local(), connected);
    const client = await connect(to(server));
    client.onRequest(never);
    await expect(giveUp(await there)).rejects.toThrow();
    await server.close();
    expect(await client.closed).toEqual({ clean: true });
  });
});

it('a server that closes waits for its handlers, those of requests given up included', async () => {
  let finish!: (text: string) => void;
  const work = new Promise<string>((resolve) => (finish = resolve));
  const server = await serve(local(), () => work);
  const client = await connect(to(server));
  await expect(client.request('x', { timeout: 20 })).rejects.toMatchObject({
    code: 'KNSOCK_REQUEST_TIMEOUT',
  });
  let isClosed = false;
  const closing = server.close().then(() => (isClosed = true));
  expect(await client.ping()).toBeGreaterThanOrEqual(0);
  expect(isClosed).toBe(false);
  finish('done');
  await closing;
  await client.closed;
});

function aborter() {
  const controller = new AbortController();
  const abort = (): void => {
    controller.abort(new Error('changed my mind'));
  };
  return { signal: controller.signal, abort };
}

describe.each([
  ['knsock', knsock()],
  ['lines', lines()],
])('a handler on %s that stops as its signal fires', (_, framing) => {
  it("isn't reported as a failure, and another failure is", { timeout: SOON }, async () => {
    const reported: string[] = [];
    await using server = await serve(
      { ...local(), framing, onError: ({ message }) => void reported.push(message) },
      async ({ signal, payload }) => {
        await once(signal, 'abort');
        if (String(payload) === 'fails') throw new Error('the disk is full');
        throw signal.reason;
      },
    );
    for (const payload of ['stops', 'fails']) {
      const client = await connect({ ...to(server), framing, onError: () => undefined });
      await expect(client.request(payload, { timeout: 50 })).rejects.toThrow();
      await client.close();
      await expect.poll(() => server.stats().connections).toBe(0);
    }
    await expect.poll(() => reported).toEqual(['the disk is full']);
  });
});
