import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ManualClock, settled } from '../manual-clock.js';
import { Pool } from './pool.js';

const names = ['created', 'create-failed', 'destroyed', 'timeout', 'leak'];
let heard: [string, Record<string, unknown>][];
const listeners = new Map<string, (event: unknown) => void>();

beforeEach(() => {
  heard = [];
  for (const name of names) {
    const listener = (event: unknown): void => void heard.push([name, event as Record<string, unknown>]);
    listeners.set(name, listener);
    subscribe(`knsock:pool:${name}`, listener);
  }
});
afterEach(() => {
  for (const [name, listener] of listeners) unsubscribe(`knsock:pool:${name}`, listener);
});

const waiting = (clock: ManualClock, ms: number) =>
  new Promise<void>((resolve) => {
    clock.after(ms, resolve);
  });

it('a pool publishes what it creates, and how long that took', async () => {
  const clock = new ManualClock();
  await clock.advance(1_000);
  const pool = new Pool<string>({ name: 'p', clock, create: () => waiting(clock, 40).then(() => 'r') });
  const lending = pool.acquire();
  await clock.advance(40);
  (await lending).release();
  expect(heard).toEqual([['created', { pool: 'p', resource: 'r', ms: 40 }]]);
});

it('a pool publishes what it destroys, and why', async () => {
  const pool = new Pool<string>({ name: 'p', create: () => 'r' });
  (await pool.acquire()).destroy();
  expect(heard.at(-1)).toEqual(['destroyed', { pool: 'p', resource: 'r', reason: 'discarded' }]);
  await pool.close();
});

it('a pool publishes each failure to create, how many there were, and when it tries again', async () => {
  const clock = new ManualClock();
  await clock.advance(1_000);
  const error = new Error('refused');
  const pool = new Pool<string>({
    name: 'p',
    clock,
    random: () => 1,
    backOff: { first: 100, longest: 1_000 },
    create: () => Promise.reject(error),
  });
  const lending = pool.acquire({ timeout: 250 });
  lending.catch(() => undefined);
  await clock.advance(100);
  expect(heard).toEqual([
    ['create-failed', { pool: 'p', error, failures: 1, retryIn: 100 }],
    ['create-failed', { pool: 'p', error, failures: 2, retryIn: 200 }],
  ]);
  await pool.close({ deadline: 0 });
});

it('a pool publishes how many callers timed out, with its state', async () => {
  const clock = new ManualClock();
  const pool = new Pool<string>({ name: 'p', clock, max: 1, create: () => 'r' });
  const lease = await pool.acquire();
  for (let n = 0; n < 2; n += 1) pool.acquire({ timeout: 10 }).catch(() => undefined);
  await clock.advance(10);
  expect(heard.at(-1)).toMatchObject([
    'timeout',
    { pool: 'p', callers: 2, stats: { waiting: 2, active: 1 } },
  ]);
  lease.release();
});

it('a pool publishes leaks', async () => {
  const clock = new ManualClock();
  const pool = new Pool<string>({
    name: 'p',
    clock,
    leakThreshold: 100,
    onLeak: () => undefined,
    create: () => 'r',
  });
  const lease = await pool.acquire();
  await clock.advance(100);
  expect(heard.at(-1)).toMatchObject(['leak', { pool: 'p', leak: { kind: 'held', held: 100 } }]);
  lease.release();
});

it('a leak is a process warning without an onLeak', async () => {
  const clock = new ManualClock();
  const pool = new Pool<string>({ name: 'p', clock, leakThreshold: 100, create: () => 'r' });
  const warnings: Error[] = [];
  const listen = (warning: Error): void => void warnings.push(warning);
  process.on('warning', listen);
  const lease = await pool.acquire();
  await clock.advance(100);
  await settled(); // warnings come in a turn of their own
  process.off('warning', listen);
  expect(warnings).toMatchObject([{ name: 'LeakWarning', code: 'KNSOCK_POOL_LEAK' }]);
  expect(warnings[0]?.message).toContain('a lease of p was held for 100 ms; it was acquired here:\n');
  expect(warnings[0]?.message).toContain('events.test.ts');
  lease.release();
});
