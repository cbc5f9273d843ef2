import { describe, expect, it } from 'vitest';
import { ManualClock, settled } from '../manual-clock.js';
import { parsePool, type PoolOptions } from './config.js';
import { Creator } from './creator.js';

function creating(options: Partial<PoolOptions<string>>) {
  const clock = new ManualClock();
  const errors: Error[] = [];
  const factory = {
    create: () => 'r',
    clock,
    random: () => 1,
    backOff: { first: 100, longest: 400 },
    onError: (error: Error) => void errors.push(error),
    ...options,
  };
  const creator = new Creator<string>(factory, parsePool(factory));
  let ready = 0;
  const mayStart = () => creator.mayStart(() => (ready += 1));
  return { clock, creator, errors, mayStart, ready: () => ready };
}

const refused = new Error('refused');
const refuses = { create: () => Promise.reject(refused) };

describe('creating', () => {
  it('may start at once, and gives what was made', async () => {
    const { creator, clock, mayStart } = creating({});
    expect([mayStart(), clock.timers]).toEqual([true, 0]);
    expect(await creator.make()).toBe('r');
    expect([creator.failure, clock.timers]).toEqual([undefined, 0]);
  });

  it('waits after a failure, longer after each, and calls back when the wait is over', async () => {
    const { creator, clock, mayStart, ready } = creating(refuses);
    for (const [count, wait] of [
      [1, 100],
      [2, 200],
      [3, 400],
      [4, 400],
    ] as const) {
      await clock.advance(1);
      await expect(creator.make()).rejects.toBe(refused);
      expect(creator.failure).toMatchObject({ error: refused, count });
      const before = ready();
      expect([mayStart(), mayStart(), clock.timers]).toEqual([false, false, 1]);
      await clock.advance(wait - 1);
      expect([ready(), mayStart()]).toEqual([before, false]);
      await clock.advance(1);
      expect([ready(), mayStart(), clock.timers]).toEqual([before + 1, true, 0]);
    }
  });

  it('counts attempts that failed together once', async () => {
    const { creator, clock } = creating(refuses);
    await clock.advance(5);
    await Promise.allSettled([creator.make(), creator.make()]);
    expect(creator.failure?.count).toBe(1);
  });

  it('forgets the failures with the first success', async () => {
    let works = false;
    const { creator, mayStart } = creating({
      create: () => (works ? 'r' : Promise.reject(refused)),
    });
    await creator.make().catch(() => undefined);
    works = true;
    await creator.make();
    expect([creator.failure, mayStart()]).toEqual([undefined, true]);
  });

  it("doesn't call back when no longer needed, and can end the back-off early", async () => {
    const { creator, clock, mayStart, ready } = creating(refuses);
    await creator.make().catch(() => undefined);
    mayStart();
    creator.rest();
    expect(clock.timers).toBe(0);
    await clock.advance(50);
    expect(mayStart()).toBe(false);
    creator.hurry();
    expect([mayStart(), clock.timers, ready()]).toEqual([true, 0, 0]);
  });

  it('takes at most the timeout, then aborts its signal, and destroys a late result', async () => {
    let given: AbortSignal | undefined;
    let arrive = (_: string): void => undefined;
    const destroyed: unknown[] = [];
    const { creator, clock, errors } = creating({
      createTimeout: 50,
      create: ({ signal }) => {
        given = signal;
        signal.addEventListener('abort', () => {
          throw new Error('listener');
        });
        return new Promise((resolve) => (arrive = resolve));
      },
      destroy: (...all) => void destroyed.push(all),
    });
    const making = creator.make();
    making.catch(() => undefined);
    await clock.advance(49);
    expect(given?.aborted).toBe(false);
    await clock.advance(1);
    await expect(making).rejects.toMatchObject({
      code: 'KNSOCK_POOL_CREATE_TIMEOUT',
      message: 'creating took longer than 50 ms',
      retryable: true,
    });
    expect(given?.aborted).toBe(true);
    expect(errors.map(({ message }) => message)).toEqual(['listener']);
    arrive('late');
    await settled();
    expect(destroyed).toEqual([['late', 'discarded']]);
  });

  it('that was stopped aborts running attempts, starts none, and reports no failure', async () => {
    let given: AbortSignal | undefined;
    const { creator, clock, mayStart } = creating({
      create: ({ signal }) => {
        given = signal;
        return new Promise(() => undefined);
      },
    });
    const making = creator.make();
    making.catch(() => undefined);
    creator.stop();
    await expect(making).rejects.toMatchObject({ code: 'KNSOCK_POOL_CLOSED' });
    expect([given?.aborted, mayStart(), creator.failure, clock.timers]).toEqual([true, false, undefined, 0]);
  });
});
