import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:tls';
import { createCredentials, knsock, lines, listen, serve, type SecureServer } from '@knsock/core';
import { ConnectionPool, type ConnectionPoolOptions } from '@knsock/pool';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { createWorld, portOf, type World } from '../support/world.js';
import { Changing } from './changing.js';

let world: World;
const open: AsyncDisposable[] = [];

beforeAll(async () => {
  world = await createWorld();
});

afterEach(async () => {
  for (const thing of open.splice(0).reverse()) await thing[Symbol.asyncDispose]();
});

function keep<T extends AsyncDisposable>(thing: T): T {
  open.push(thing);
  return thing;
}

async function echo(options: { maxRequestsInFlight?: number } = {}): Promise<SecureServer> {
  const common = { port: 0, host: '127.0.0.1', credentials: world.server } as const;
  return keep(await serve({ ...common, ...options }, ({ payload }) => payload));
}

function poolOf(servers: SecureServer[], options: Partial<ConnectionPoolOptions> = {}): ConnectionPool {
  const endpoints = servers.map((server) => ({ host: '127.0.0.1', port: portOf(server) }));
  return keep(new ConnectionPool({ endpoints, credentials: world.client, ...options }));
}

function gate(): { opened: Promise<void>; open: () => void } {
  let release: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => (release = resolve));
  return { opened, open: () => release() };
}

describe('requests', () => {
  it('share one connection', async () => {
    const pool = poolOf([await echo()]);
    const answers = await Promise.all(Array.from({ length: 100 }, (_, n) => pool.request(`${n}`)));
    expect(answers.map(String)).toEqual(Array.from({ length: 100 }, (_, n) => `${n}`));
    expect(pool.stats()).toMatchObject({ created: 1, active: 0, idle: 1, requestsInFlight: 0 });
  });

  it("open another connection only when the peer's maxInFlight is reached", async () => {
    const { opened, open: answer } = gate();
    const server = keep(
      await serve(
        { port: 0, host: '127.0.0.1', credentials: world.server, maxRequestsInFlight: 4 },
        async ({ payload }) => opened.then(() => payload),
      ),
    );
    const pool = poolOf([server], { max: 5 });
    const requests = Array.from({ length: 10 }, () => pool.request('x'));
    await expect.poll(() => pool.stats().requestsInFlight).toBe(10);
    expect(pool.stats()).toMatchObject({ active: 3, waiting: 0 });
    answer();
    await Promise.all(requests);
  });

  it('wait their turn where every connection is full', async () => {
    const pool = poolOf([await echo({ maxRequestsInFlight: 2 })], { max: 2 });
    const answers = await Promise.all(Array.from({ length: 500 }, (_, n) => pool.request(`${n}`)));
    expect(answers.map(Number)).toEqual(Array.from({ length: 500 }, (_, n) => n));
    expect(pool.stats()).toMatchObject({ created: 2, waiting: 0 });
  });

  it('have a connection each where the framing has no ids', async () => {
    const server = keep(
      await serve(
        { port: 0, host: '127.0.0.1', credentials: world.server, framing: lines() },
        ({ payload }) => payload,
      ),
    );
    const pool = poolOf([server], { framing: lines(), max: 3 });
    const answers = await Promise.all(Array.from({ length: 30 }, (_, n) => pool.request(`${n}`)));
    expect(answers.map(Number)).toEqual(Array.from({ length: 30 }, (_, n) => n));
    expect(pool.stats().created).toBe(3);
  });

  it("fail as the connection's own would where the handler fails", async () => {
    const server = keep(
      await serve({ port: 0, host: '127.0.0.1', credentials: world.server }, () => {
        throw new Error('secret');
      }),
    );
    const pool = poolOf([server]);
    await expect(pool.request('x')).rejects.toMatchObject({ code: 'KNSOCK_REMOTE_HANDLER' });
    expect(pool.stats().idle).toBe(1);
  });

  it('have one deadline for everything, whose error reports what went wrong', async () => {
    // No server uses tcpmux; a port that was just released may be in use by now.
    const endpoints = [{ host: '127.0.0.1', port: 1 }];
    const pool = keep(new ConnectionPool({ endpoints, credentials: world.client }));
    const failed = await pool.request('x', { timeout: 500 }).catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: 'KNSOCK_POOL_TIMEOUT' });
    expect((failed as Error).cause).toMatchObject({ code: 'KNSOCK_CONNECTION_REFUSED' });
    expect(String(failed)).toMatch(/0 active, 0 idle, 1 waiting.*last failure/);
  });

  it('go to several endpoints, all of them used', async () => {
    const counts = [0, 0, 0];
    const servers = await Promise.all(
      counts.map(async (_, index) =>
        keep(
          await serve({ port: 0, host: '127.0.0.1', credentials: world.server }, ({ payload }) => {
            counts[index] = (counts[index] ?? 0) + 1;
            return payload;
          }),
        ),
      ),
    );
    const pool = poolOf(servers, { min: 3 });
    await pool.ready();
    for (let round = 0; round < 60; round += 1)
      await Promise.all([1, 2, 3, 4, 5].map(() => pool.request('x')));
    expect(counts.reduce((sum, n) => sum + n)).toBe(300);
    expect(Math.min(...counts)).toBeGreaterThan(30);
  });

  it('spread over endpoints while each caller asks again at once', async () => {
    const options = { port: 0, host: '127.0.0.1', credentials: world.server } as const;
    const slowly = async ({ payload }: { payload: Buffer }) => {
      await new Promise((resolve) => setTimeout(resolve, 2));
      return payload;
    };
    const servers = await Promise.all([1, 2, 3].map(async () => keep(await serve(options, slowly))));
    const pool = poolOf(servers, { min: 3 });
    await pool.ready();
    const callers = Array.from({ length: 10 }, async () => {
      for (let turn = 0; turn < 60; turn += 1) await pool.request('x');
    });
    await Promise.all(callers);
    const counts = servers.map((server) => [...server.connections()].map((c) => c.stats().messagesReceived));
    expect(Math.min(...counts.flat())).toBeGreaterThan(100);
  });

  it('reach an endpoint again that was unreachable while the others took every slot', async () => {
    const server = await echo();
    const options = { port: 0, host: '127.0.0.1', credentials: world.server } as const;
    const away = await serve(options, ({ payload }) => payload);
    const port = portOf(away);
    // Random numbers that favour the first endpoint, and the shortest time set aside.
    const pool = poolOf([away, server], { max: 4, random: () => 0 });
    await pool.ready();
    await away.close({ deadline: 1 });
    await expect.poll(() => pool.stats().total).toBe(0);
    const leases = await Promise.all([1, 2, 3, 4].map(() => pool.acquire()));
    for (const lease of leases) lease.release();
    expect(pool.stats().endpoints.map(({ connections }) => connections)).toEqual([0, 4]);
    keep(await serve({ ...options, port }, ({ payload }) => payload));
    await vi.waitFor(async () => {
      await pool.request('x');
      expect(pool.stats().endpoints[0]?.connections).toBeGreaterThan(0);
    }, 20_000);
  });

  it('to a peer that accepts none report that, without a busy loop meanwhile', async () => {
    const { chain: cert, key } = await world.authority.issue({
      kind: 'server',
      names: ['127.0.0.1'],
      days: 1,
    });
    const mute = createServer({ cert, key, ALPNProtocols: ['knsock/1'] }, (socket) => {
      // WELCOME with maxInFlight 0, see docs/wire-format.md.
      socket.on('error', () => undefined).write(Buffer.from('00000009010010000000000000', 'hex'));
    });
    await once(mute.listen(0, '127.0.0.1'), 'listening');
    const { port } = mute.address() as AddressInfo;
    const pool = new ConnectionPool({ endpoints: [{ host: '127.0.0.1', port }], credentials: world.client });
    await expect(pool.request('x', { timeout: 200 })).rejects.toMatchObject({
      code: 'KNSOCK_REQUEST_NOT_STARTED',
      message: expect.stringMatching(/takes no requests/) as string,
    });
    await pool.close();
    mute.close();
  });

  it('give a caller that wants an exclusive connection its turn', async () => {
    const pool = poolOf([await echo()], { max: 1 });
    let stop = false;
    const busy = Array.from({ length: 8 }, async () => {
      while (!stop) await pool.request('x');
    });
    await pool.request('warm');
    const lease = await pool.acquire({ timeout: 5_000 });
    expect(String(await lease.value.request('alone'))).toBe('alone');
    lease.release();
    stop = true;
    await Promise.all(busy);
  });
});

describe('leases', () => {
  it('are granted although requests were first in the queue and never pause', async () => {
    let answer = (): void => undefined;
    const server = keep(
      // Each request is answered when the next has come, so that there is always one in flight; the last a little later.
      await serve({ port: 0, host: '127.0.0.1', credentials: world.server }, () => {
        answer();
        return new Promise<string>((resolve) => {
          answer = () => resolve('at last');
          setTimeout(answer, 100);
        });
      }),
    );
    const pool = poolOf([server], { max: 1 });
    let stop = false;
    const busy = Array.from({ length: 2 }, async () => {
      while (!stop) await pool.request('x');
    });
    const lease = await pool.acquire({ timeout: 5_000 });
    stop = true;
    lease.release();
    await Promise.all(busy);
  });

  it('are exclusive, and their connection is used again', async () => {
    const pool = poolOf([await echo()]);
    const first = await pool.acquire();
    const second = await pool.acquire();
    expect(first.value.id).not.toBe(second.value.id);
    const ids = [first.value.id, second.value.id];
    first.release();
    second.release();
    const third = await pool.acquire();
    expect(ids).toContain(third.value.id);
    expect(pool.stats()).toMatchObject({ created: 2, active: 1, idle: 1 });
    third.release();
  });

  it('a connection used after its lease was released throws', async () => {
    const pool = poolOf([await echo()]);
    const lease = await pool.acquire();
    const connection = lease.value;
    lease.release();
    expect(() => connection.write('x')).toThrow(expect.objectContaining({ code: 'KNSOCK_LEASE_RELEASED' }));
    await expect(connection.receive()).rejects.toMatchObject({ code: 'KNSOCK_LEASE_RELEASED' });
    expect(() => lease.value).toThrow(expect.objectContaining({ code: 'KNSOCK_LEASE_RELEASED' }));
    expect(() => lease.release()).toThrow(expect.objectContaining({ code: 'KNSOCK_LEASE_RELEASED' }));
  });

  it('a connection with unread bytes is not lent again', async () => {
    const server = keep(
      await listen({ port: 0, host: '127.0.0.1', credentials: world.server }, (connection) => {
        connection.onMessage((message) => {
          connection.write(message);
        });
      }),
    );
    const pool = poolOf([server]);
    const lease = await pool.acquire();
    await lease.value.send('answer me');
    await expect.poll(() => lease.value.stats().heldBytes).toBeGreaterThan(0);
    lease.release();
    expect(pool.stats()).toMatchObject({ idle: 0, destroyed: 1 });
  });

  it('a connection with an unfinished request is not lent again', async () => {
    const { opened, open: answer } = gate();
    const server = keep(
      await serve({ port: 0, host: '127.0.0.1', credentials: world.server }, async () =>
        opened.then(() => 'late'),
      ),
    );
    const pool = poolOf([server]);
    const lease = await pool.acquire();
    const late = lease.value.request('x').catch((error: unknown) => error);
    lease.release();
    expect(pool.stats()).toMatchObject({ idle: 0, destroyed: 1 });
    expect(await late).toBeInstanceOf(Error);
    answer();
  });

  it('a connection with a listener left in it is not lent again', async () => {
    const pool = poolOf([await echo()]);
    const lease = await pool.acquire();
    lease.value.onMessage(() => undefined);
    lease.release();
    expect(pool.stats()).toMatchObject({ idle: 0, destroyed: 1 });
  });

  it("a pending receive of the last borrower doesn't get the next one's message", async () => {
    const pool = poolOf([await echo()]);
    const lease = await pool.acquire();
    const left = lease.value.receive().catch(() => null);
    lease.release();
    expect(await left).toBeNull();
    expect(pool.stats()).toMatchObject({ idle: 0, destroyed: 1 });
  });

  it('use keeps the connection where a request was refused by the handler', async () => {
    const pool = poolOf([await echo()]);
    await expect(pool.use(() => Promise.reject(new Error('mine')))).rejects.toThrow('mine');
    expect(pool.stats()).toMatchObject({ idle: 1, destroyed: 0 });
  });

  it('use destroys the connection after an error where answers have no ids', async () => {
    const server = keep(
      await serve(
        { port: 0, host: '127.0.0.1', credentials: world.server, framing: lines() },
        ({ payload }) => payload,
      ),
    );
    const pool = poolOf([server], { framing: lines() });
    await expect(pool.use(() => Promise.reject(new Error('mine')))).rejects.toThrow('mine');
    expect(pool.stats()).toMatchObject({ idle: 0, destroyed: 1 });
  });
});

describe('life', () => {
  it('ready fails at once with the real cause', async () => {
    const stranger = await createWorld('Another CA');
    const server = await echo();
    const pool = poolOf([server], { credentials: stranger.client });
    await expect(pool.ready({ timeout: 5_000 })).rejects.toMatchObject({
      code: expect.stringMatching(/KNSOCK_PEER_/) as string,
    });
  });

  it("a failure that a retry can't help reaches callers of every kind at once", async () => {
    const stranger = await createWorld('Another CA');
    const pool = poolOf([await echo()], { credentials: stranger.client });
    const refusal = { code: 'KNSOCK_PEER_UNKNOWN_ISSUER', retryable: false };
    await expect(pool.acquire({ timeout: 600_000 })).rejects.toMatchObject(refusal);
    await expect(pool.request('x', { timeout: 600_000 })).rejects.toMatchObject(refusal);
    await expect(pool.ready({ timeout: 600_000 })).rejects.toMatchObject(refusal);
  });

  it('an endpoint that may recover keeps callers waiting, whatever another refuses', async () => {
    const stranger = await createWorld('Another CA');
    const server = await echo();
    const endpoints = [
      { host: '127.0.0.1', port: 1 },
      { host: 'localhost', port: portOf(server) },
    ];
    const pool = keep(new ConnectionPool({ endpoints, credentials: stranger.client }));
    await expect(pool.acquire({ timeout: 300 })).rejects.toMatchObject({
      code: 'KNSOCK_POOL_TIMEOUT',
      cause: { code: 'KNSOCK_CONNECTION_REFUSED' },
    });
  });

  it('a connection that the server ends is noticed while idle', async () => {
    const server = await echo();
    const pool = poolOf([server]);
    await pool.request('x');
    for (const connection of server.connections()) connection.destroy();
    await expect.poll(() => pool.stats().total).toBe(0);
    expect(String(await pool.request('again'))).toBe('again');
  });

  it('no connection outlives the certificate of the server', async () => {
    const { chain, key } = await world.authority.issue({ kind: 'server', names: ['127.0.0.1'], days: 1 });
    const credentials = createCredentials({ cert: chain, key });
    const server = keep(await serve({ port: 0, host: '127.0.0.1', credentials }, ({ payload }) => payload));
    const timers: number[] = [];
    const clock = {
      now: () => performance.now(),
      after: (ms: number, callback: () => void) => {
        timers.push(ms);
        const timer = setTimeout(callback, Math.min(ms, 60_000));
        return { cancel: () => clearTimeout(timer), keepAlive: () => timer.unref() };
      },
    };
    const never = { maxLifetime: Infinity, idleTimeout: Infinity, keepalive: Infinity };
    const pool = poolOf([server], { ...never, clock });
    await pool.ready();
    const lease = await pool.acquire();
    const left = (lease.value.peer?.notAfter.getTime() ?? 0) - Date.now();
    lease.release();
    expect(Math.abs(Math.max(...timers) - left)).toBeLessThan(10_000);
  });

  it('sessions are resumed', async () => {
    const pool = poolOf([await echo()]);
    await pool.request('x');
    pool.softEvict();
    const lease = await pool.acquire();
    expect(lease.value.tls.resumed).toBe(true);
    lease.release();
  });

  it('new credentials supersede connections once one with them works', async () => {
    const source = new Changing(world.client);
    const pool = poolOf([await echo()], { credentials: source });
    await pool.request('x');
    source.change(world.client);
    await pool.request('y');
    await expect.poll(() => pool.stats()).toMatchObject({ created: 2, destroyed: 1 });
  });

  it('close lets requests in flight finish', async () => {
    const { opened, open: answer } = gate();
    const server = keep(
      await serve({ port: 0, host: '127.0.0.1', credentials: world.server }, async () =>
        opened.then(() => 'done'),
      ),
    );
    const pool = poolOf([server]);
    const request = pool.request('x');
    await expect.poll(() => pool.stats().requestsInFlight).toBe(1);
    const closed = pool.close();
    await expect(pool.request('y')).rejects.toMatchObject({ code: 'KNSOCK_POOL_CLOSED' });
    answer();
    expect(String(await request)).toBe('done');
    await closed;
    expect(pool.stats().total).toBe(0);
  });

  it('suspend holds new requests and resume lets them go', async () => {
    const pool = poolOf([await echo()], { framing: knsock() });
    await pool.request('x');
    pool.suspend();
    const held = pool.request('y');
    expect(pool.stats().waiting).toBe(1);
    pool.resume();
    expect(String(await held)).toBe('y');
  });
});
