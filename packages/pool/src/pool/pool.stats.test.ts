import { EasySocketError } from '@knsock/core';
import { beforeEach, describe, expect, it } from 'vitest';
import type { PoolOptions } from './config.js';
import { ManualClock, settled } from '../manual-clock.js';
import { Pool } from './pool.js';

let clock: ManualClock;
let errors: Error[];

beforeEach(async () => {
  clock = new ManualClock();
  await clock.advance(1_000); // so that a time is none of the clock's own
  errors = [];
});

/** A pool of the numbers 1, 2, 3 … */
function numbers(options: Partial<PoolOptions<number>> = {}): Pool<number> {
  let made = 0;
  const onError = (error: Error): void => void errors.push(error);
  return new Pool<number>({ create: () => (made += 1), clock, random: () => 0, onError, ...options });
}

const final = new EasySocketError('KNSOCK_TEST', 'wrong certificate', { retryable: false });

describe('what a pool counts', () => {
  it('is how long callers waited, resources were used and creations took', async () => {
    const pool = numbers({
      max: 1,
      create: () => new Promise((resolve) => void clock.after(20, () => resolve(1))),
    });
    const first = pool.acquire();
    const second = pool.acquire();
    await clock.advance(20);
    const lease = await first;
    await clock.advance(40);
    lease.release();
    (await second).release();
    const { acquire, usage, creation } = pool.stats();
    expect([acquire.max, usage.max, creation.max]).toEqual([60, 40, 20]);
    expect([acquire.count, usage.count, creation.count]).toEqual([2, 2, 1]);
  });

  it('is how many callers wait, and how many timed out', async () => {
    const pool = numbers({ max: 1 });
    const lease = await pool.acquire();
    for (let n = 0; n < 2; n += 1) pool.acquire({ timeout: 10 }).catch(() => undefined);
    expect([pool.waiting, pool.stats().timeouts]).toEqual([2, 0]);
    await clock.advance(10);
    expect([pool.waiting, pool.stats().timeouts]).toEqual([0, 2]);
    pool.ready({ timeout: 10 }).catch(() => undefined);
    lease.release();
  });

  it('is what was created and destroyed, and whether there is room for more', async () => {
    const pool = numbers({ max: 2 });
    const [first, second] = [await pool.acquire(), await pool.acquire()];
    expect([pool.full, pool.stats().created, pool.stats().destroyed]).toEqual([true, 2, 0]);
    first.destroy();
    second.release();
    expect([pool.full, pool.stats().destroyed]).toEqual([false, 1]);
  });
});

describe('a failure to create', () => {
  it('is reported if no caller waits for the resource', async () => {
    const refused = new Error('refused');
    numbers({ min: 1, create: () => Promise.reject(refused) });
    await settled();
    expect(errors).toEqual([refused]);
  });

  it('goes only to waiting callers, of acquire or of ready', async () => {
    for (const wait of [
      (pool: Pool<number>) => pool.acquire({ timeout: 5 }),
      (pool: Pool<number>) => pool.ready({ timeout: 5 }),
    ]) {
      const pool = numbers({ create: () => Promise.reject(new Error('refused')) });
      const failed = expect(wait(pool)).rejects.toThrow();
      await clock.advance(5);
      await failed;
      expect(errors).toEqual([]);
      await pool.close({ deadline: 0 });
    }
  });

  it('that is permanent fails waiting callers at once, if there is no other resource', async () => {
    const pool = numbers({ create: () => Promise.reject(final) });
    await expect(pool.acquire()).rejects.toBe(final);
  });

  it('that is permanent fails no caller if there is another resource', async () => {
    let refuses = false;
    const pool = numbers({ max: 2, create: () => (refuses ? Promise.reject(final) : 7) });
    const lease = await pool.acquire();
    refuses = true;
    const waiting = pool.acquire();
    await settled();
    lease.release();
    expect((await waiting).value).toBe(7);
  });
});

describe('a pool that lends nothing', () => {
  it('makes callers of try and acquire wait until it lends again', async () => {
    const pool = numbers();
    (await pool.acquire()).release();
    pool.suspend();
    expect([pool.tryAcquire(() => true), pool.stats().suspended]).toEqual([undefined, true]);
    let got: number | undefined;
    void pool.acquire().then(({ value }) => (got = value));
    await settled();
    expect(got).toBeUndefined();
    pool.resume();
    await settled();
    expect([got, pool.stats().suspended]).toEqual([1, false]);
  });

  it('because it is closed has nothing for try, and is never ready', async () => {
    const pool = numbers();
    (await pool.acquire()).release();
    const closing = pool.close();
    expect(pool.tryAcquire(() => true)).toBeUndefined();
    await expect(pool.ready()).rejects.toMatchObject({ code: 'KNSOCK_POOL_CLOSED' });
    await closing;
  });

  it('is what its scope leaves behind', async () => {
    const destroyed: number[] = [];
    const pool = numbers({ destroy: (resource) => void destroyed.push(resource) });
    (await pool.acquire()).release();
    await pool[Symbol.asyncDispose]();
    expect([destroyed, pool.stats().total]).toEqual([[1], 0]);
  });
});

describe("a call that isn't awaited", () => {
  it('is reported if it fails', async () => {
    const pool = numbers({ max: 1 });
    await pool.acquire();
    void pool.acquire({ timeout: 5 });
    void pool.acquire({ timeout: -1 });
    await clock.advance(5);
    await settled();
    await settled();
    expect(errors).toMatchObject([{ code: 'KNSOCK_INVALID_OPTION' }, { code: 'KNSOCK_POOL_TIMEOUT' }]);
  });

  it('is reported only to its caller if it is awaited', async () => {
    const pool = numbers({ max: 1 });
    await pool.acquire();
    const failed = expect(pool.acquire({ timeout: 5 })).rejects.toThrow();
    await clock.advance(5);
    await failed;
    expect(errors).toEqual([]);
  });
});

describe('readiness', () => {
  it('is refused at once for invalid options and fired signals, and resolves at once if the pool is ready', async () => {
    const pool = numbers();
    await expect(pool.ready({ timeout: -1 })).rejects.toMatchObject({ option: 'timeout' });
    const reason = new Error('before');
    await expect(pool.ready({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(pool.stats().total).toBe(0);
    await pool.ready();
    expect(pool.stats().idle).toBe(1);
    const timers = clock.timers;
    await pool.ready();
    expect(clock.timers).toBe(timers);
  });
});

describe('superseding', () => {
  it("frees a slot in a full pool by destroying an old idle one, and destroys none in one that isn't full", async () => {
    for (const [max, gone] of [
      [2, 1],
      [3, 0],
    ] as const) {
      const destroyed: string[] = [];
      const pool = numbers({ max, destroy: (_, reason) => void destroyed.push(reason) });
      const leases = [await pool.acquire(), await pool.acquire()];
      for (const lease of leases) lease.release();
      pool.supersede();
      expect(destroyed).toEqual(Array.from({ length: gone }, () => 'superseded'));
      await pool.close();
    }
  });

  it('of an empty pool changes nothing', async () => {
    const pool = numbers();
    pool.supersede();
    await settled();
    expect(pool.stats().total).toBe(0);
  });

  it('announces a retirement once, however often it is asked for', async () => {
    const announced: string[] = [];
    const pool = numbers({ onRetire: (_, reason) => void announced.push(reason) });
    const lease = await pool.acquire();
    pool.retire(lease.value, 'lifetime');
    pool.retire(lease.value);
    pool.softEvict();
    expect(announced).toEqual(['lifetime']);
    lease.release();
    expect(pool.stats().total).toBe(0);
  });
});
