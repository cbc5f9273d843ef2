/** A pool keeps nothing from one user of a connection for the next, and leaves nothing behind. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { getEventListeners, once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { lines, listen, type SecureConnection } from '@knsock/core';
import { ConnectionPool, type ConnectionPoolOptions, type PoolEvents } from '@knsock/pool';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Stage } from './stage.js';

let stage: Stage;

beforeEach(async () => {
  stage = await Stage.build();
});

afterEach(async () => {
  vi.useRealTimers();
  await stage[Symbol.asyncDispose]();
});

/** A server of lines, and a pool of connections to it. */
async function linesPool(
  handler: (connection: SecureConnection) => void,
  options: Partial<ConnectionPoolOptions> = {},
): Promise<ConnectionPool> {
  const common = { port: 0, host: '127.0.0.1', credentials: stage.world.server, framing: lines() };
  const server = stage.keep(await listen(common, handler));
  return stage.pool([server], { framing: lines(), ...options });
}

describe('the next user of a connection', () => {
  it('gets nothing that was meant for the last and came after the release', async () => {
    const peers: SecureConnection[] = [];
    const pool = await linesPool((peer) => void peers.push(peer));
    const lease = await pool.acquire();
    const { id } = lease.value;
    await vi.waitFor(() => expect(peers).toHaveLength(1));
    lease.release();
    await peers[0]?.send('late, for the first');
    // While nothing has come yet the connection may be lent; from then on it may not.
    const held: number[] = [];
    for (let same = true; same;) {
      const next = await pool.acquire();
      same = next.value.id === id;
      held.push(next.value.stats().heldBytes);
      next.release();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(Math.max(...held)).toBe(0);
  });

  it('gets the greeting of a server that speaks first', async () => {
    const pool = await linesPool((peer) => void peer.send('220 ready'));
    for (let turn = 0; turn < 3; turn += 1) {
      await pool.use(async (connection) => {
        if (turn === 0) expect(String(await connection.receive())).toBe('220 ready');
      });
    }
    expect(pool.stats().created).toBe(1);
  });

  it("isn't observed by a listener of the last one for the end", async () => {
    const pool = stage.pool([await stage.serve()]);
    const lease = await pool.acquire();
    lease.value.onDraining(() => undefined);
    lease.release();
    expect(pool.stats()).toMatchObject({ idle: 0, destroyed: 1 });
  });

  it('gets no connection whose certificate expired while the machine slept', async () => {
    const pool = stage.pool([await stage.serve()], { resume: false });
    await pool.use(() => undefined);
    // Only the time of day moves on, as it does after a sleep; the clock of timers stood still.
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 8 * 86_400_000 });
    const failed = await pool.acquire().catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: 'KNSOCK_PEER_EXPIRED' });
    expect(pool.stats()).toMatchObject({ idle: 0, destroyed: 1 });
  });
});

it('a certificate that was accepted although it had expired ends no connection early', async () => {
  const server = await stage.serve();
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 8 * 86_400_000 });
  const pool = stage.pool([server], { dangerouslySkipVerification: true });
  for (let turn = 0; turn < 3; turn += 1) await pool.use(() => undefined);
  expect(pool.stats()).toMatchObject({ created: 1, idle: 1 });
});

it('a signal shared by many acquires and requests, one after another, has no listener afterwards', async () => {
  const pool = stage.pool([await stage.serve()], { max: 1 });
  const { signal } = new AbortController();
  let socket: TLSSocket | undefined;
  const created = (event: unknown) => void (socket = socketOf(event));
  subscribe('knsock:pool:created', created);
  await pool.request('first');
  unsubscribe('knsock:pool:created', created);
  const before = listenersOf(socket);
  for (let turn = 0; turn < 50; turn += 1) {
    await pool.request('x', { signal });
    await Promise.all([1, 2].map(() => pool.use(() => undefined, { signal })));
  }
  expect(getEventListeners(signal, 'abort')).toEqual([]);
  expect(listenersOf(socket)).toEqual(before);
  expect(pool.stats().created).toBe(1);
});

function socketOf(event: unknown): TLSSocket {
  return ((event as PoolEvents['knsock:pool:created']).resource as SecureConnection).socket;
}

function listenersOf(socket: TLSSocket | undefined): [string | symbol, number][] {
  const names = socket?.eventNames() ?? [];
  expect(names).not.toEqual([]);
  return names.map((name) => [name, socket?.listenerCount(name) ?? 0]);
}

it('requests without ids get their connections at once, not one after the first', async () => {
  const pool = stage.pool([await stage.serve(undefined, { framing: lines() })], { framing: lines(), max: 5 });
  const answers = Array.from({ length: 5 }, (_, n) => pool.request(`${n}`));
  expect(pool.stats().creating).toBe(5);
  expect((await Promise.all(answers)).map(String)).toEqual(['0', '1', '2', '3', '4']);
});

it('a queue that is full of requests is reported', async () => {
  const pool = stage.pool([await stage.serve()], { maxWaiters: 3 });
  const waiting = [1, 2, 3].map(() => pool.request('x'));
  await expect(pool.request('y')).rejects.toThrow(/3 callers wait already.* 3 waiting/);
  await Promise.all(waiting);
});

it("closing a pool that is connecting to a black hole doesn't wait and leaves nothing", async () => {
  const sockets = new Set<Socket>();
  let accepted = 0;
  const mute = createServer((socket) => {
    accepted += 1;
    sockets.add(socket.resume());
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
  }).listen(0, '127.0.0.1');
  await once(mute, 'listening');
  const { port } = mute.address() as AddressInfo;
  const credentials = stage.world.client;
  const pool = new ConnectionPool({ endpoints: [{ host: '127.0.0.1', port }], credentials, min: 2 });
  const waiting = [pool.acquire(), pool.request('x'), pool.ready()];
  await vi.waitFor(() => expect(accepted).toBe(2));
  const closed = pool.close();
  for (const result of await Promise.allSettled(waiting))
    expect(result).toMatchObject({ status: 'rejected', reason: { code: 'KNSOCK_POOL_CLOSED' } });
  await closed;
  expect(pool.stats()).toMatchObject({ total: 0, creating: 0 });
  await vi.waitFor(() => expect(sockets.size).toBe(0));
  for (const late of [pool.acquire(), pool.request('x'), pool.ready(), pool.use(() => undefined)])
    await expect(late).rejects.toMatchObject({ code: 'KNSOCK_POOL_CLOSED' });
  expect(accepted).toBe(2);
  mute.close();
});
