import { getEventListeners, once } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { PoolOptions } from './config.js';
import type { Leak } from './leak-detector.js';
import { ManualClock, settled } from '../manual-clock.js';
import { Pool } from './pool.js';

let clock: ManualClock;
let made: number;

beforeEach(() => {
  clock = new ManualClock();
  made = 0;
});

/** A pool of the numbers 1, 2, 3 … */
function numbers(options: Partial<PoolOptions<number>> = {}): Pool<number> {
  return new Pool<number>({ create: () => (made += 1), clock, random: () => 0, ...options });
}

const never = () => new Promise<never>(() => undefined);

describe('lending', () => {
  it('creates nothing until asked', () => {
    expect(numbers().stats().total).toBe(0);
  });

  it('makes many resources at once without a warning of a leak', async () => {
    const warnings: Error[] = [];
    const listen = (warning: Error) => warnings.push(warning);
    process.on('warning', listen);
    const pool = numbers({ create: never, max: 50 });
    const waiting = Array.from({ length: 50 }, () => pool.acquire().catch(() => undefined));
    expect(pool.stats().creating).toBe(50);
    await new Promise(setImmediate); // warnings come in a turn of their own
    process.off('warning', listen);
    expect(warnings).toEqual([]);
    await pool.close({ deadline: 0 });
    await Promise.all(waiting);
  });

  it('reuses the resource that came back last', async () => {
    const pool = numbers();
    const [first, second] = [await pool.acquire(), await pool.acquire()];
    first.release();
    second.release();
    expect((await pool.acquire()).value).toBe(2);
  });

  it('reuses the resource that was released first with fifo', async () => {
    const pool = numbers({ reuse: 'fifo' });
    const [first, second] = [await pool.acquire(), await pool.acquire()];
    first.release();
    second.release();
    expect((await pool.acquire()).value).toBe(1);
  });

  it('takes the preferred one of several idle resources', async () => {
    const pool = numbers();
    const leases = [await pool.acquire(), await pool.acquire(), await pool.acquire()];
    for (const lease of leases) lease.release();
    expect((await pool.acquire({ prefer: (n) => n === 2 })).value).toBe(2);
  });

  it('lends a fresh resource rather than wait for the check of the preferred one', async () => {
    const pool = numbers({ validate: never });
    const [first, second] = [await pool.acquire(), await pool.acquire()];
    first.release();
    await clock.advance(1_000);
    second.release();
    expect((await pool.acquire({ prefer: (n) => n === 1 })).value).toBe(2);
    expect(pool.stats()).toMatchObject({ checking: 1, waiting: 0 });
  });

  it('tries without waiting, and takes only what matches', async () => {
    const pool = numbers();
    expect(pool.tryAcquire(() => true)).toBeUndefined();
    expect(pool.stats().total).toBe(0);
    (await pool.acquire()).release();
    expect(pool.tryAcquire((n) => n === 2)).toBeUndefined();
    expect(pool.tryAcquire((n) => n === 1)?.value).toBe(1);
  });

  it('serves waiting callers before those that try', async () => {
    const pool = numbers({ max: 1, validate: never });
    (await pool.acquire()).release();
    await clock.advance(1_000);
    void pool.acquire();
    expect(pool.tryAcquire(() => true)).toBeUndefined();
  });

  it('creates one more when requested, and never beyond max', async () => {
    const pool = numbers({ max: 2 });
    (await pool.acquire()).release();
    for (let turn = 0; turn < 3; turn += 1) {
      pool.extend();
      await settled();
      expect(pool.stats()).toMatchObject({ total: 2, idle: 2 });
    }
  });

  it('retires one of several, an idle one if there is one', async () => {
    const pool = numbers();
    const [held, idle] = [await pool.acquire(), await pool.acquire()];
    idle.release();
    expect(pool.retireOne(() => true)).toBe(2);
    expect(pool.retireOne(() => true)).toBe(1);
    expect(pool.retireOne(() => true)).toBeUndefined();
    held.release();
    expect(pool.stats().total).toBe(0);
  });

  it('serves a waiter the moment a resource comes back', async () => {
    const pool = numbers({ max: 1 });
    const held = await pool.acquire();
    const waiting = pool.acquire();
    expect(pool.stats()).toMatchObject({ active: 1, idle: 0, waiting: 1 });
    held.release();
    expect(pool.stats()).toMatchObject({ active: 1, idle: 0, waiting: 0 });
    expect((await waiting).value).toBe(1);
  });

  it('gives a resource under construction to the next waiter when the first gives up', async () => {
    let arrive: (n: number) => void = () => undefined;
    const pool = numbers({ max: 1, create: () => new Promise((resolve) => (arrive = resolve)) });
    const abort = new AbortController();
    const first = pool.acquire({ signal: abort.signal });
    const second = pool.acquire();
    abort.abort(new Error('changed my mind'));
    await expect(first).rejects.toThrow('changed my mind');
    arrive(7);
    expect((await second).value).toBe(7);
  });

  it('keeps a resource all of whose waiters gave up', async () => {
    let arrive: (n: number) => void = () => undefined;
    const pool = numbers({ create: () => new Promise((resolve) => (arrive = resolve)) });
    const abort = new AbortController();
    const only = pool.acquire({ signal: abort.signal });
    abort.abort();
    await expect(only).rejects.toThrow();
    arrive(7);
    await settled();
    expect(pool.stats()).toMatchObject({ idle: 1, creating: 0 });
  });

  it('rejects with the reason of a signal that has fired already, and takes nothing', async () => {
    const pool = numbers();
    await expect(pool.acquire({ signal: AbortSignal.abort(new Error('no')) })).rejects.toThrow('no');
    expect(pool.stats().total).toBe(0);
  });

  it('many callers may share a signal, which takes a single listener', async () => {
    const pool = numbers({ max: 1 });
    const held = await pool.acquire();
    const abort = new AbortController();
    const callers = Array.from({ length: 50 }, () => pool.acquire({ signal: abort.signal }));
    expect(getEventListeners(abort.signal, 'abort')).toHaveLength(1);
    abort.abort(new Error('enough'));
    const results = await Promise.allSettled(callers);
    expect(results.every(({ status }) => status === 'rejected')).toBe(true);
    expect(pool.stats().waiting).toBe(0);
    held.release();
  });

  it('a signal is released with the last caller that waits for it', async () => {
    const pool = numbers({ max: 1 });
    const held = await pool.acquire();
    const { signal } = new AbortController();
    const next = pool.acquire({ signal });
    held.release();
    await next;
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('refuses callers beyond maxWaiters', async () => {
    const pool = numbers({ max: 1, maxWaiters: 1 });
    await pool.acquire();
    void pool.acquire();
    await expect(pool.acquire()).rejects.toMatchObject({ code: 'KNSOCK_POOL_QUEUE_FULL', limit: 1 });
  });

  it('every waiter has its own deadline', async () => {
    const pool = numbers({ max: 1 });
    await pool.acquire();
    const failedAt: Record<number, number> = {};
    for (const timeout of [300, 100, 200]) {
      void pool.acquire({ timeout }).catch(() => (failedAt[timeout] = clock.now()));
    }
    await clock.advance(1_000);
    expect(failedAt).toEqual({ 100: 100, 200: 200, 300: 300 });
  });

  it('with a timeout of 0 takes what is idle or fails', async () => {
    const pool = numbers();
    await expect(pool.acquire({ timeout: 0 })).rejects.toMatchObject({ code: 'KNSOCK_POOL_TIMEOUT' });
    (await pool.acquire()).release();
    expect((await pool.acquire({ timeout: 0 })).value).toBe(1);
  });

  it('lends nothing while suspended', async () => {
    const pool = numbers();
    pool.suspend();
    const waiting = pool.acquire();
    await settled();
    expect(pool.stats()).toMatchObject({ total: 0, waiting: 1, suspended: true });
    pool.resume();
    expect((await waiting).value).toBe(1);
  });
});

describe('leases', () => {
  it('a second release throws', async () => {
    const lease = await numbers().acquire();
    lease.release();
    expect(() => lease.release()).toThrow(expect.objectContaining({ code: 'KNSOCK_LEASE_RELEASED' }));
    expect(() => lease.destroy()).toThrow(expect.objectContaining({ code: 'KNSOCK_LEASE_RELEASED' }));
  });

  it('using a released lease throws', async () => {
    const lease = await numbers().acquire();
    lease.release();
    expect(() => lease.value).toThrow(expect.objectContaining({ code: 'KNSOCK_LEASE_RELEASED' }));
  });

  it('are released at the end of their scope, also when released by hand', async () => {
    const pool = numbers();
    {
      await using byScope = await pool.acquire();
      await using byHand = await pool.acquire();
      expect([byScope.value, byHand.value]).toEqual([1, 2]);
      byHand.release();
    }
    expect(pool.stats()).toMatchObject({ active: 0, idle: 2 });
  });

  it('use returns what the function returns and releases', async () => {
    const pool = numbers();
    expect(await pool.use((n) => n * 10)).toBe(10);
    expect(pool.stats()).toMatchObject({ active: 0, idle: 1 });
  });

  it.each([undefined, 5])('use refuses what is no function before it acquires: %s', async (fn) => {
    const pool = numbers();
    await expect(pool.use(fn as never)).rejects.toMatchObject({
      code: 'KNSOCK_INVALID_OPTION',
      option: 'fn',
    });
    expect(made).toBe(0);
  });

  it('use destroys the resource where the function throws', async () => {
    const pool = numbers();
    await expect(pool.use(() => Promise.reject(new Error('oops')))).rejects.toThrow('oops');
    expect(pool.stats()).toMatchObject({ total: 0, destroyed: 1 });
  });

  it("a resource that isn't reusable is destroyed on its return", async () => {
    const pool = numbers({ reusable: (n) => n !== 1 });
    (await pool.acquire()).release();
    expect(pool.stats()).toMatchObject({ total: 0 });
    (await pool.acquire()).release();
    expect(pool.stats()).toMatchObject({ idle: 1 });
  });
});

describe('a factory that throws where it must not', () => {
  const oops = () => {
    throw new Error('oops');
  };

  it('when asked whether one is reusable has it destroyed', async () => {
    const pool = numbers({ reusable: oops });
    (await pool.acquire()).release();
    expect(pool.stats()).toMatchObject({ total: 0, destroyed: 1 });
  });

  it.each([
    ['throws', oops],
    ['says NaN', () => NaN],
  ])('when asked how long one may live (%s) has it replaced', async (_, lifetime) => {
    const pool = numbers({ lifetime });
    const lease = await pool.acquire();
    lease.release();
    expect(pool.stats()).toMatchObject({ total: 0, destroyed: 1 });
  });

  it('in destroy frees the slot anyway', async () => {
    const pool = numbers({ max: 1, destroy: oops });
    (await pool.acquire()).destroy();
    expect((await pool.acquire()).value).toBe(2);
  });
});

it('in onRetire has no other effect', async () => {
  const pool = numbers({
    onRetire: () => {
      throw new Error('oops');
    },
  });
  const leases = [await pool.acquire(), await pool.acquire()];
  expect(() => pool.softEvict()).not.toThrow();
  const closed = pool.close();
  for (const lease of leases) lease.release();
  await closed;
  expect(pool.stats()).toMatchObject({ total: 0, destroyed: 2 });
});

describe('what happened to an idle resource', () => {
  it('is noticed before it is lent, however recently it was used, and whatever the check says', async () => {
    const touched = new Set<number>();
    const pool = numbers({ untouched: (n) => !touched.has(n), validate: () => true });
    (await pool.acquire()).release();
    touched.add(1);
    const lease = await pool.acquire();
    expect(lease.value).toBe(2);
    lease.release();
    expect(pool.stats()).toMatchObject({ idle: 1, destroyed: 1 });
  });

  it("isn't checked before its first use", async () => {
    const pool = numbers({ untouched: () => false, min: 1 });
    await pool.ready();
    expect((await pool.acquire()).value).toBe(1);
  });

  it("keeps it from being lent if the factory's check fails", async () => {
    const pool = numbers({
      untouched: (n) => {
        if (n === 1) throw new Error('oops');
        return true;
      },
    });
    (await pool.acquire()).release();
    expect((await pool.acquire()).value).toBe(2);
  });
});

describe('failures to create', () => {
  it('fail no waiter before its timeout, which reports the state and the cause', async () => {
    const refused = new Error('refused');
    const pool = numbers({ create: () => Promise.reject(refused), acquireTimeout: 3_000 });
    const failed = pool.acquire().catch((error: unknown) => error);
    await clock.advance(2_999);
    expect(pool.stats().waiting).toBe(1);
    await clock.advance(1);
    expect(await failed).toMatchObject({
      code: 'KNSOCK_POOL_TIMEOUT',
      ms: 3_000,
      cause: refused,
      retryable: true,
    });
    expect(String(await failed)).toContain('0 active, 0 idle, 1 waiting');
    expect(String(await failed)).toContain('last failure: refused');
  });

  it('are followed by increasing back-off, which a success ends', async () => {
    const attempts: number[] = [];
    const create = () => {
      attempts.push(clock.now());
      if (attempts.length < 5) throw new Error('refused');
      return 1;
    };
    const pool = numbers({ create, backOff: { first: 100, longest: 300 } });
    const lease = pool.acquire();
    await clock.advance(1_000);
    expect((await lease).value).toBe(1);
    // The random number is 0 here, so each wait is half of the full one: 100, 200, 300, 300.
    expect(attempts).toEqual([0, 50, 150, 300, 450]);
    expect(pool.stats().lastFailure).toBeUndefined();
  });

  it('are also checks of what was only just made, however fast it is made', async () => {
    const create = () => {
      if ((made += 1) > 100) throw new Error('made without a pause');
      return made;
    };
    const validate = () => {
      throw new Error('no answer');
    };
    // By the real clock, for which something made a moment ago isn't fresh.
    const pool = new Pool<number>({ create, validate, validateAfter: 0, acquireTimeout: 300 });
    await expect(pool.acquire()).rejects.toMatchObject({
      message: expect.stringContaining(
        'last failure: what was created was dead before it could be lent: no answer',
      ) as string,
      cause: { code: 'KNSOCK_POOL_UNUSABLE', cause: { message: 'no answer' } },
    });
    expect(made).toBeLessThan(10);
    await pool.close();
  });

  it.each<[string, Partial<PoolOptions<number>>, ((pool: Pool<number>, one: number) => void) | undefined]>([
    ['ends soon after it was made', {}, (pool, one) => { pool.retire(one, 'dead'); }], // prettier-ignore
    ['is retired soon after it was made', {}, (pool, one) => { pool.retire(one); }], // prettier-ignore
    ['is too old when it is made', { lifetime: () => 0 }, undefined],
  ])('are those to keep min, where everything %s', async (_, options, befall) => {
    const [attempts, errors]: [number[], unknown[]] = [[], []];
    const create = () => {
      attempts.push(clock.now());
      const one = attempts.length;
      void settled().then(() => befall?.(pool, one));
      return one;
    };
    const onError = (error: Error) => void errors.push(error);
    const pool: Pool<number> = numbers({
      create,
      min: 1,
      backOff: { first: 100, longest: 300 },
      onError,
      ...options,
    });
    await clock.advance(800);
    expect(attempts).toEqual([0, 50, 150, 300, 450, 600, 750]);
    expect(errors).toHaveLength(attempts.length);
    expect(errors[0]).toMatchObject({ code: 'KNSOCK_POOL_UNUSABLE', retryable: true });
    await pool.close();
  });

  it('are reported only where something is missed', async () => {
    const errors: unknown[] = [];
    const pool = numbers({ onError: (error: Error) => void errors.push(error) });
    await pool.ready();
    await clock.advance(1);
    pool.retire(1);
    await settled();
    expect(pool.stats()).toMatchObject({ total: 0, lastFailure: { count: 1 } });
    expect(errors).toEqual([]);
    await pool.close();
  });

  it("aren't what ends after it was lent, or lived for longer than the longest back-off", async () => {
    const errors: unknown[] = [];
    const pool = numbers({
      min: 1,
      backOff: { first: 100, longest: 300 },
      onError: (error: Error) => void errors.push(error),
    });
    await settled();
    await clock.advance(301);
    pool.retire(1, 'dead');
    await settled();
    expect(made).toBe(2);
    (await pool.acquire()).release();
    pool.retire(2, 'dead');
    await settled();
    expect([made, errors]).toEqual([3, []]);
    await pool.close();
  });

  it('of attempts under way together count once, and one at a time follows', async () => {
    let attempts = 0;
    const create = () => Promise.reject(new Error(`refused ${(attempts += 1)}`));
    const pool = numbers({ create });
    for (let caller = 0; caller < 5; caller += 1) void pool.acquire().catch(() => undefined);
    await settled();
    expect(attempts).toBe(5);
    expect(pool.stats().lastFailure?.count).toBe(1);
    await clock.advance(50);
    expect(attempts).toBe(6);
  });

  it('stop when no caller waits any more', async () => {
    let attempts = 0;
    const pool = numbers({ create: () => Promise.reject(new Error(`refused ${(attempts += 1)}`)) });
    const abort = new AbortController();
    const lease = pool.acquire({ signal: abort.signal });
    await settled();
    abort.abort();
    await expect(lease).rejects.toThrow();
    await clock.advance(60_000);
    expect(attempts).toBe(1);
  });

  it('include one that never ends, which frees its slot', async () => {
    const signals: AbortSignal[] = [];
    const create = ({ signal }: { signal: AbortSignal }) => {
      signals.push(signal);
      return signals.length === 1 ? never() : 7;
    };
    const pool = numbers({ create, max: 1, createTimeout: 1_000 });
    const lease = pool.acquire();
    await clock.advance(1_100);
    expect(signals[0]?.aborted).toBe(true);
    expect((await lease).value).toBe(7);
  });

  it('destroy what arrives after its time', async () => {
    let arrive: (n: number) => void = () => undefined;
    const destroyed: number[] = [];
    const create = () => new Promise<number>((resolve) => (arrive = resolve));
    const pool = numbers({ create, createTimeout: 1_000, destroy: (n) => void destroyed.push(n) });
    void pool.acquire({ timeout: 500 }).catch(() => undefined);
    await clock.advance(1_000);
    arrive(7);
    await settled();
    expect(destroyed).toEqual([7]);
    expect(pool.stats().total).toBe(0);
  });

  it('make ready() fail at once with the real cause', async () => {
    const pool = numbers({ create: () => Promise.reject(new Error('wrong certificate')) });
    await expect(pool.ready()).rejects.toThrow('wrong certificate');
  });
});

describe('readiness', () => {
  it('comes with the first resource, which stays idle', async () => {
    const pool = numbers();
    await pool.ready();
    expect(pool.stats()).toMatchObject({ idle: 1, total: 1 });
  });

  it('comes with min resources', async () => {
    const pool = numbers({ min: 3 });
    await pool.ready();
    expect(pool.stats()).toMatchObject({ idle: 3 });
  });
});

describe('life', () => {
  it('an idle resource goes after idleTimeout, down to min', async () => {
    const pool = numbers({ min: 1, idleTimeout: 5_000 });
    const leases = [await pool.acquire(), await pool.acquire(), await pool.acquire()];
    for (const lease of leases) lease.release();
    await clock.advance(4_999);
    expect(pool.stats().idle).toBe(3);
    await clock.advance(1);
    expect(pool.stats().idle).toBe(1);
  });

  it('an old resource is replaced where min wants one', async () => {
    const pool = numbers({ min: 1, maxLifetime: 10_000 });
    await pool.ready();
    await clock.advance(10_000);
    expect(pool.stats()).toMatchObject({ idle: 1, created: 2, destroyed: 1 });
  });

  it('a lent resource that gets too old is announced and goes when it comes back', async () => {
    const announced: unknown[] = [];
    const pool = numbers({ maxLifetime: 10_000, onRetire: (n, reason) => void announced.push([n, reason]) });
    const lease = await pool.acquire();
    await clock.advance(10_000);
    expect(announced).toEqual([[1, 'lifetime']]);
    expect(pool.stats().active).toBe(1);
    lease.release();
    expect(pool.stats().total).toBe(0);
  });

  it('no resource outlives its own limit', async () => {
    const pool = numbers({ lifetime: () => 2_000 });
    (await pool.acquire()).release();
    await clock.advance(2_000);
    expect(pool.stats().total).toBe(0);
  });

  it("resources created together don't expire together", async () => {
    const chances = [0, 0.5, 1];
    const pool = numbers({ min: 3, maxLifetime: 10_000, random: () => chances.shift() ?? 0 });
    await pool.ready();
    await clock.advance(9_000);
    expect(pool.stats().destroyed).toBe(1);
    await clock.advance(500);
    expect(pool.stats().destroyed).toBe(2);
  });

  it('validation on borrow is skipped for one used within 500 ms', async () => {
    const validated: number[] = [];
    const pool = numbers({ validate: (n) => validated.push(n) > 0 });
    (await pool.acquire()).release();
    await clock.advance(500);
    (await pool.acquire()).release();
    expect(validated).toEqual([]);
    await clock.advance(501);
    (await pool.acquire()).release();
    expect(validated).toEqual([1]);
  });

  it('with validateAfter 0 each is validated once for every borrower', async () => {
    const validated: number[] = [];
    const pool = numbers({ validateAfter: 0, validate: (n) => validated.push(n) > 0 });
    for (let turn = 0; turn < 3; turn += 1) {
      (await pool.acquire()).release();
      await clock.advance(1);
    }
    expect(validated).toEqual([1, 1]);
  });

  it('a dead resource is replaced before any caller gets it', async () => {
    const pool = numbers({ validate: (n) => n > 1 });
    (await pool.acquire()).release();
    await clock.advance(1_000);
    expect((await pool.acquire()).value).toBe(2);
  });

  it('one dead resource has its idle siblings checked at once, not one after another', async () => {
    const asked: number[] = [];
    const validate = (n: number) => (asked.push(n) && n > 3 ? true : never());
    const pool = numbers({ validate, validateTimeout: 1_000 });
    const leases = [await pool.acquire(), await pool.acquire(), await pool.acquire()];
    for (const lease of leases) lease.release();
    await clock.advance(1_000);
    const lease = pool.acquire();
    await clock.advance(1_000);
    expect(asked.toSorted()).toEqual([1, 2, 3]);
    await clock.advance(1_000);
    expect(pool.stats().destroyed).toBe(3);
    expect((await lease).value).toBe(4);
  });

  it("one that died while it was being checked isn't lent, whatever the check says", async () => {
    let answer: (alive: boolean) => void = () => undefined;
    const pool = numbers({ validate: () => new Promise((resolve) => (answer = resolve)) });
    (await pool.acquire()).release();
    await clock.advance(1_000);
    const lease = pool.acquire();
    pool.retire(1, 'dead');
    answer(true);
    expect((await lease).value).toBe(2);
  });

  it('an idle resource is kept alive, and found dead, without a caller', async () => {
    let alive = true;
    const pool = numbers({ keepalive: 2_000, validate: () => alive });
    (await pool.acquire()).release();
    await clock.advance(2_000);
    expect(pool.stats().idle).toBe(1);
    alive = false;
    await clock.advance(2_000);
    expect(pool.stats()).toMatchObject({ total: 0, destroyed: 1 });
  });

  it('one that died while idle is gone at once, and replaced where min wants it', async () => {
    const pool = numbers({ min: 1 });
    await pool.ready();
    await clock.advance(60_000);
    pool.retire(1, 'dead');
    await settled();
    expect((await pool.acquire()).value).toBe(2);
  });

  it('a slow destruction keeps its slot, so that there are never more than max', async () => {
    const pool = numbers({ max: 1, destroy: never, destroyTimeout: 1_000 });
    (await pool.acquire()).destroy();
    const next = pool.acquire();
    await clock.advance(999);
    expect(pool.stats()).toMatchObject({ closing: 1, creating: 0, waiting: 1 });
    await clock.advance(1);
    expect((await next).value).toBe(2);
  });

  it('a pool with nothing to expire has no timer', async () => {
    const pool = numbers({ idleTimeout: Infinity, maxLifetime: Infinity });
    await pool.use((n) => n);
    await clock.advance(30_000);
    expect(clock.timers).toBe(0);
  });
});

describe('replacing', () => {
  it('softEvict replaces idle resources at once and lent ones as they come back', async () => {
    const pool = numbers();
    const held = await pool.acquire();
    (await pool.acquire()).release();
    pool.softEvict();
    expect(pool.stats()).toMatchObject({ active: 1, idle: 0, destroyed: 1 });
    held.release();
    expect(pool.stats()).toMatchObject({ total: 0 });
  });

  it('supersede lends what exists until a new one works', async () => {
    let refuse = true;
    const create = () => {
      if (refuse && made > 0) throw new Error('the new certificate is refused');
      return (made += 1);
    };
    const pool = numbers({ create });
    (await pool.acquire()).release();
    pool.supersede();
    await settled();
    const lease = await pool.acquire();
    expect(lease.value).toBe(1);
    lease.release();
    refuse = false;
    await clock.advance(5_000);
    expect(pool.stats()).toMatchObject({ idle: 1, destroyed: 1 });
    expect((await pool.acquire()).value).toBe(2);
  });

  it('supersede frees a slot in a full pool', async () => {
    const pool = numbers({ max: 2 });
    const leases = [await pool.acquire(), await pool.acquire()];
    pool.supersede();
    for (const lease of leases) lease.release();
    await settled();
    expect((await pool.acquire()).value).toBe(3);
    expect(pool.stats()).toMatchObject({ total: 1, destroyed: 2 });
  });
});

describe('callbacks that fail', () => {
  const failing: [string, () => unknown][] = [
    [
      'throws',
      () => {
        throw new Error('mine');
      },
    ],
    ['rejects', () => Promise.reject(new Error('mine'))],
  ];

  it.each(failing)('an onLeak that %s goes to onError', async (_how, onLeak) => {
    const onError = vi.fn<(error: Error) => void>();
    const pool = numbers({ leakThreshold: 1_000, onLeak, onError });
    const lease = await pool.acquire();
    await clock.advance(5_000);
    expect(onError.mock.calls.map(([{ message }]) => message)).toEqual(['mine']);
    lease.release();
  });

  it.each(failing)('an onRetire that %s goes to onError', async (_how, onRetire) => {
    const onError = vi.fn<(error: Error) => void>();
    const pool = numbers({ max: 1, onRetire, onError });
    const lease = await pool.acquire();
    pool.softEvict();
    await clock.advance(1);
    expect(onError.mock.calls.map(([{ message }]) => message)).toEqual(['mine']);
    lease.release();
  });
});

describe('leaks', () => {
  it('a lease held too long is reported with the place of its acquire', async () => {
    const leaks: Leak[] = [];
    const pool = numbers({ leakThreshold: 1_000, onLeak: (leak) => leaks.push(leak) });
    async function forgetful() {
      return pool.acquire();
    }
    const lease = await forgetful();
    await clock.advance(5_000);
    expect(leaks).toHaveLength(1);
    expect(leaks[0]).toMatchObject({
      kind: 'held',
      held: 1_000,
      stack: expect.stringContaining('forgetful') as string,
    });
    expect(pool.stats().leaks).toBe(1);
    lease.release();
  });

  it('a lease released in time is not', async () => {
    const leaks: Leak[] = [];
    const pool = numbers({ leakThreshold: 1_000, onLeak: (leak) => leaks.push(leak) });
    const lease = await pool.acquire();
    await clock.advance(900);
    lease.release();
    await clock.advance(5_000);
    expect(leaks).toEqual([]);
  });

  it('an untracked lease may be held for any time', async () => {
    const leaks: Leak[] = [];
    const pool = numbers({ leakThreshold: 1_000, onLeak: (leak) => leaks.push(leak) });
    const first = await pool.acquire({ untracked: true });
    first.release();
    pool.tryAcquire(() => true, { untracked: true });
    await clock.advance(5_000);
    expect(leaks).toEqual([]);
  });

  it('a lease that was dropped is reported, and its slot is free again', async () => {
    const leaks: Leak[] = [];
    const pool = numbers({ max: 1, leakThreshold: 60_000, onLeak: (leak) => leaks.push(leak) });
    const drop = async () => {
      await pool.acquire();
    };
    await drop();
    const waiting = pool.acquire();
    await vi.waitFor(() => {
      collectGarbage();
      expect(leaks).toMatchObject([{ kind: 'dropped', stack: expect.stringContaining('drop') as string }]);
    });
    expect((await waiting).value).toBe(2);
  });
});

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

describe('closing', () => {
  it('rejects waiters and new callers', async () => {
    const pool = numbers({ max: 1 });
    const held = await pool.acquire();
    const waiting = pool.acquire();
    const closed = pool.close();
    await expect(waiting).rejects.toMatchObject({ code: 'KNSOCK_POOL_CLOSED' });
    await expect(pool.acquire()).rejects.toMatchObject({ code: 'KNSOCK_POOL_CLOSED' });
    held.release();
    await closed;
    expect(pool.stats().total).toBe(0);
  });

  it('destroys what is still lent at the deadline', async () => {
    const destroyed: [number, string][] = [];
    const pool = numbers({ destroy: (n, reason) => void destroyed.push([n, reason]) });
    const lease = await pool.acquire();
    const closed = pool.close({ deadline: 1_000 });
    await clock.advance(999);
    expect(destroyed).toEqual([]);
    await clock.advance(1);
    await closed;
    expect(destroyed).toEqual([[1, 'overdue']]);
    expect(() => lease.release()).not.toThrow();
  });

  it('is said to wait by a warning after a second, where use() awaits it and it waits for itself', async () => {
    const pool = numbers({ name: 'orders' });
    const warned = once(process, 'warning');
    const used = pool.use(() => pool.close({ deadline: 5_000 }));
    await settled();
    await clock.advance(1_000);
    const [warning] = (await warned) as [Error];
    expect(warning).toMatchObject({
      code: 'KNSOCK_CLOSE_WAITS',
      message:
        'close() of orders has waited 1000 ms for 1 that is lent. If it was called there, it waits for itself until its deadline: call it there without awaiting it',
    });
    await clock.advance(4_000);
    await used.catch(() => undefined);
    expect(clock.timers).toBe(0);
  });

  it('aborts creations under way', async () => {
    let signal: AbortSignal | undefined;
    const pool = numbers({ create: (context) => ((signal = context.signal), never()) });
    const waiting = pool.acquire();
    const closed = pool.close();
    await expect(waiting).rejects.toMatchObject({ code: 'KNSOCK_POOL_CLOSED' });
    await closed;
    expect(signal?.aborted).toBe(true);
    expect(clock.timers).toBe(0);
  });

  it('creates no replacements', async () => {
    const pool = numbers({ min: 2 });
    await pool.ready();
    await pool.close();
    await settled();
    expect(made).toBe(2);
  });

  it("doesn't wait for a check that never ends", async () => {
    const reasons: string[] = [];
    const pool = numbers({ validate: never, destroy: (_, reason) => void reasons.push(reason) });
    (await pool.acquire()).release();
    await clock.advance(120_000);
    expect(pool.stats().checking).toBe(1);
    await pool.close({ deadline: 0 });
    expect(reasons).toEqual(['closed']);
  });

  it('is one promise, however often it is asked for', () => {
    const pool = numbers();
    expect(pool.close()).toBe(pool.close());
  });
});

describe('options', () => {
  it('that are invalid cause a rejection, not an exception', async () => {
    const pool = numbers({ max: 1 });
    await pool.acquire();
    const wrong = expect.objectContaining({ code: 'KNSOCK_INVALID_OPTION', option: 'timeout' }) as Error;
    await expect(pool.acquire({ timeout: Infinity })).rejects.toThrow(wrong);
    expect(pool.stats().waiting).toBe(0);
  });

  it.each<[string, object]>([
    ['max', { max: 0 }],
    ['min', { min: 11 }],
    ['acquireTimeout', { acquireTimeout: Infinity }],
    ['idleTimeout', { idleTimeout: -1 }],
    ['reuse', { reuse: 'random' as 'fifo' }],
    ['maxWaiters', { maxWaiters: 1.5 }],
    ['backOff.first', { backOff: { first: 9_000 } }],
    ['backOff.frist', { backOff: { frist: 9 } }],
    ['idletimeout', { idletimeout: 9_000 }],
    ['create', { create: undefined }],
    ['validate', { validate: true }],
    ['onLeak', { onLeak: 'log' }],
    ['random', { random: 4 }],
    ['name', { name: 7 }],
  ])('%s is checked', (option, options) => {
    expect(() => numbers(options)).toThrow(
      expect.objectContaining({ code: 'KNSOCK_INVALID_OPTION', option }),
    );
  });
});
