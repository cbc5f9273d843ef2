/** Requests that are abandoned, retried, or measured. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:tls';
import { ConnectionPool, type Leak, type PoolEvents } from '@knsock/pool';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Stage } from './stage.js';

let stage: Stage;

beforeEach(async () => {
  stage = await Stage.build();
});

afterEach(async () => {
  await stage[Symbol.asyncDispose]();
});

function gate(): { opened: Promise<void>; open: () => void } {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}

it('ten thousand requests at once wait for a connection, and are all answered', async () => {
  const server = await stage.serve(({ payload }) => payload);
  const pool = stage.pool([server], { max: 1 });
  await pool.ready();
  const payloads = Array.from({ length: 10_000 }, (_, at) => `${at}`.padEnd(1_000, '.'));
  const answers = await Promise.all(payloads.map((payload) => pool.request(payload)));
  expect(answers.map(String)).toEqual(payloads);
});

it('an abandoned request costs no connection', async () => {
  const { opened, open } = gate();
  const server = await stage.serve(({ payload }) =>
    String(payload) === 'slow' ? opened.then(() => 'late') : payload,
  );
  const pool = stage.pool([server]);
  await pool.ready();
  await expect(pool.request('slow', { timeout: 50 })).rejects.toMatchObject({
    code: 'KNSOCK_REQUEST_TIMEOUT',
  });
  await expect(pool.request('slow', { signal: AbortSignal.timeout(50) })).rejects.toMatchObject({
    name: 'TimeoutError',
  });
  expect(String(await pool.request('quick'))).toBe('quick');
  open();
  expect(String(await pool.request('quick again'))).toBe('quick again');
  expect(pool.stats()).toMatchObject({ created: 1, destroyed: 0 });
});

it('a connection whose slots are taken by abandoned requests takes no more, and is replaced', async () => {
  const server = await stage.serve(
    ({ payload }) => (String(payload) === 'never' ? new Promise<never>(() => undefined) : payload),
    { maxRequestsInFlight: 2 },
  );
  const pool = stage.pool([server], { max: 1 });
  await pool.ready();
  const given = [1, 2].map(() => pool.request('never', { timeout: 100 }).catch(() => 'given up'));
  expect(await Promise.all(given)).toEqual(['given up', 'given up']);
  expect(String(await pool.request('next', { timeout: 5_000 }))).toBe('next');
  expect(pool.stats()).toMatchObject({ created: 2, destroyed: 1 });
});

it('closing the pool cuts off at its deadline what is in flight, and waits for no farewell', async () => {
  const begun = gate();
  const server = await stage.serve(() => {
    begun.open();
    return new Promise<never>(() => undefined);
  });
  const pool = stage.pool([server]);
  const asked = pool.request('never').catch((error: unknown) => error as Error);
  await begun.opened;
  await pool.close({ deadline: 20 });
  expect(await asked).toMatchObject({
    code: 'KNSOCK_CONNECTION_CLOSED',
    message: expect.stringContaining('this side destroyed the connection') as string,
  });
});

it('closing the pool ends requests that wait to be sent again, of which there may be many', async () => {
  const warnings: Error[] = [];
  const warned = (warning: Error) => void warnings.push(warning);
  process.on('warning', warned);
  const { chain: cert, key } = await stage.world.authority.issue({
    kind: 'server',
    names: ['127.0.0.1'],
    days: 1,
  });
  let asked = 0;
  // WELCOME, see docs/wire-format.md; clients that send a request are disconnected.
  const cutting = createServer({ cert, key, ALPNProtocols: ['knsock/1'] }, (socket) => {
    socket.on('error', () => undefined).write(Buffer.from('00000009010010000000000080', 'hex'));
    socket.once('data', () => {
      asked += 1;
      socket.destroy();
    });
  });
  await once(cutting.listen(0, '127.0.0.1'), 'listening');
  const { port } = cutting.address() as AddressInfo;
  const pool = new ConnectionPool({
    endpoints: [{ host: '127.0.0.1', port }],
    credentials: stage.world.client,
  });
  const callers = Array.from({ length: 20 }, () => pool.request('x', { idempotent: true }));
  const failed = Promise.allSettled(callers);
  await vi.waitFor(() => expect(asked).toBeGreaterThan(5));
  await pool.close();
  for (const result of await failed)
    expect(result).toMatchObject({
      reason: { code: expect.stringMatching(/^KNSOCK_(POOL|CONNECTION)_CLOSED$/) as string },
    });
  process.off('warning', warned);
  expect(warnings).toEqual([]);
  cutting.close();
});

it('a request may take as long as a timer can count', async () => {
  const pool = stage.pool([await stage.serve(({ payload }) => payload)]);
  // The rest is computed from a clock with fractions, and must not become longer.
  for (let asked = 0; asked < 200; asked += 1)
    expect(String(await pool.request('x', { timeout: 2 ** 31 - 1 }))).toBe('x');
});

it('a request that is retried again and again ends at its deadline with its last failure', async () => {
  const cutting = await stage.serve(({ connection }) => {
    connection.destroy();
    return 'never sent';
  });
  const pool = stage.pool([cutting]);
  const callers = Array.from({ length: 10 }, (_, n) =>
    pool.request('x', { idempotent: true, timeout: 100 + n }),
  );
  for (const result of await Promise.allSettled(callers))
    expect(result).toMatchObject({
      reason: {
        code: expect.stringMatching(/^KNSOCK_(CONNECTION_(CLOSED|RESET)|(REQUEST|POOL)_TIMEOUT)$/) as string,
      },
    });
});

it('a request with an invalid deadline is refused', async () => {
  const pool = stage.pool([await stage.serve()]);
  for (const timeout of [Infinity, Number.NaN, -1])
    await expect(pool.request('x', { timeout })).rejects.toMatchObject({ code: 'KNSOCK_INVALID_OPTION' });
});

it('requests that never pause are no leak', async () => {
  const leaks: Leak[] = [];
  const pool = stage.pool([await stage.serve()], { leakThreshold: 20, onLeak: (leak) => leaks.push(leak) });
  const until = performance.now() + 200;
  const callers = Array.from({ length: 4 }, async () => {
    while (performance.now() < until) await pool.request('x');
  });
  await Promise.all(callers);
  expect(leaks).toEqual([]);
  const lease = await pool.acquire();
  await vi.waitFor(() => expect(leaks).toHaveLength(1));
  lease.release();
});

it('the error says what was awaited: the slot, the answer, the connection', async () => {
  const { opened, open } = gate();
  const pool = stage.pool(
    [await stage.serve(({ payload }) => opened.then(() => payload), { maxRequestsInFlight: 1 })],
    { max: 1 },
  );
  const requests = [pool.request('a'), pool.request('b')];
  await expect.poll(() => pool.stats()).toMatchObject({ requestsInFlight: 1, waiting: 1 });
  open();
  await Promise.all(requests);
  const { requestWait, request, creation } = pool.stats();
  expect([requestWait.count, request.count, creation.count]).toEqual([2, 2, 1]);
  expect(request.max).toBeGreaterThanOrEqual(requestWait.max);
  expect(requestWait.max).toBeGreaterThan(0);
});

it("a slot that didn't come in time is published on its channel, with the pool's name", async () => {
  const told: PoolEvents['knsock:pool:timeout'][] = [];
  const hear = (event: unknown) => void told.push(event as PoolEvents['knsock:pool:timeout']);
  subscribe('knsock:pool:timeout', hear);
  const pool = stage.pool([await stage.serve()], { max: 1, name: 'orders' });
  const lease = await pool.acquire();
  await expect(pool.request('x', { timeout: 30 })).rejects.toMatchObject({ code: 'KNSOCK_POOL_TIMEOUT' });
  lease.release();
  unsubscribe('knsock:pool:timeout', hear);
  expect(told).toMatchObject([{ pool: 'orders', callers: 1, stats: { active: 1, waiting: 1 } }]);
  expect(pool.stats().timeouts).toBe(1);
});
