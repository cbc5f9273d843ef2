import { describe, expect, it } from 'vitest';
import { ManualClock, settled } from '../manual-clock.js';
import { parsePool, type Factory } from './config.js';
import {
  announceRetirement,
  destroy,
  discard,
  isReusable,
  isUntouched,
  ownLifetime,
  whyDead,
} from './factory-calls.js';

function calling(calls: Partial<Factory<string>>) {
  const clock = new ManualClock();
  const errors: Error[] = [];
  const factory: Factory<string> = { create: () => 'r', ...calls };
  const config = parsePool({
    ...factory,
    name: 'p',
    clock,
    validateTimeout: 100,
    destroyTimeout: 100,
    onError: (error: Error) => void errors.push(error),
  });
  return { clock, errors, factory, config, messages: () => errors.map(({ message }) => message) };
}

const fails = () => {
  throw new Error('failed');
};
const never = () => new Promise<never>(() => undefined);
const { signal } = new AbortController();

describe('whether a resource lives', () => {
  it.each<[string, Factory<string>['validate'], string | undefined]>([
    ['without a check: yes', undefined, undefined],
    ['as the factory says: yes', () => true, undefined],
    ['as the factory says: no', () => Promise.resolve(false), 'validate() said that it is dead'],
    ['if the check fails: no, for that reason', fails, 'failed'],
  ])('%s', async (_, validate, why) => {
    const { factory, config, clock } = calling(validate === undefined ? {} : { validate });
    expect((await whyDead(factory, config, 'r', signal))?.message).toBe(why);
    expect(clock.timers).toBe(0);
  });

  it('is checked for no longer than allowed', async () => {
    let given: AbortSignal | undefined;
    const { factory, config, clock } = calling({
      validate: (_, context) => {
        given = context.signal;
        return never();
      },
    });
    const asking = whyDead(factory, config, 'r', signal);
    await clock.advance(99);
    expect(given?.aborted).toBe(false);
    await clock.advance(1);
    expect((await asking)?.message).toBe('validating took longer than 100 ms');
    expect(given?.aborted).toBe(true);
  });

  it("isn't checked any more once the pool closes", async () => {
    const stop = new AbortController();
    const { factory, config, clock } = calling({ validate: never });
    const asking = whyDead(factory, config, 'r', stop.signal);
    stop.abort();
    expect(await asking).toBeInstanceOf(Error);
    expect(clock.timers).toBe(0);
  });
});

describe('a synchronous call', () => {
  it('has the safe result if the factory fails or returns a promise, and that is reported', async () => {
    const promises = () => Promise.reject(new Error('late')) as never;
    for (const wrong of [fails, promises]) {
      const { factory, config, messages } = calling({ reusable: wrong, untouched: wrong, lifetime: wrong });
      expect(isReusable(factory, config, 'r', undefined)).toBe(false);
      expect(isUntouched(factory, config, 'r')).toBe(false);
      expect(ownLifetime(factory, config, 'r')).toBe(0);
      await settled();
      const told = ['reusable', 'untouched', 'lifetime'].map(
        (call) => `${call}() returned a promise, and must answer at once`,
      );
      expect(messages().toSorted()).toEqual(
        (wrong === fails ? ['failed', 'failed', 'failed'] : [...told, 'late', 'late', 'late']).toSorted(),
      );
    }
  });

  it('has its default if the factory lacks the function', () => {
    const { factory, config, errors } = calling({});
    expect(isReusable(factory, config, 'r', undefined)).toBe(true);
    expect(isReusable(factory, config, 'r', new Error('x'))).toBe(false);
    expect(isUntouched(factory, config, 'r')).toBe(true);
    expect(ownLifetime(factory, config, 'r')).toBe(Infinity);
    expect(errors).toEqual([]);
  });

  it("returns the factory's result", () => {
    const error = new Error('x');
    const { factory, config } = calling({
      reusable: (_, given) => given === error,
      untouched: (resource) => resource === 'r',
      lifetime: (resource) => (resource === 'r' ? 5 : Number.NaN),
    });
    expect([isReusable(factory, config, 'r', error), isReusable(factory, config, 'r', 1)]).toEqual([
      true,
      false,
    ]);
    expect([isUntouched(factory, config, 'r'), isUntouched(factory, config, 's')]).toEqual([true, false]);
    expect([ownLifetime(factory, config, 'r'), ownLifetime(factory, config, 's')]).toEqual([5, 0]);
  });
});

describe('ending a resource', () => {
  const ending = (factoryDestroy: Factory<string>['destroy'] | undefined) => {
    const made = calling(factoryDestroy === undefined ? {} : { destroy: factoryDestroy });
    let gone = 0;
    destroy(made.factory, made.config, 'r', 'idle', () => (gone += 1));
    return { ...made, gone: () => gone };
  };

  it('is done at once if there is nothing to wait for, also if it fails', () => {
    const asked: unknown[] = [];
    expect(ending(undefined).gone()).toBe(1);
    expect(ending((...all) => void asked.push(all)).gone()).toBe(1);
    expect(asked).toEqual([['r', 'idle']]);
    const failing = ending(fails);
    expect([failing.gone(), failing.messages()]).toEqual([1, ['failed']]);
  });

  it('is awaited, and done if it fails later', async () => {
    let end = (): void => undefined;
    const slow = ending(() => new Promise((resolve) => (end = resolve)));
    expect(slow.gone()).toBe(0);
    end();
    await settled();
    expect([slow.gone(), slow.clock.timers, slow.errors]).toEqual([1, 0, []]);
    const failing = ending(() => Promise.reject(new Error('later')));
    await settled();
    expect([failing.gone(), failing.messages()]).toEqual([1, ['later']]);
  });

  it("isn't awaited for longer than allowed", async () => {
    const { clock, gone, messages } = ending(never);
    await clock.advance(99);
    expect(gone()).toBe(0);
    await clock.advance(1);
    expect([gone(), messages()]).toEqual([1, ['destroying took longer than 100 ms']]);
  });

  it('that came too late is reported if it fails', async () => {
    const { factory, config, messages } = calling({ destroy: fails });
    await discard(factory, config, 'r');
    await discard({ create: () => 'r' }, config, 'r');
    expect(messages()).toEqual(['failed']);
  });

  it('that is lent is announced, and continues if that fails', () => {
    const told: unknown[] = [];
    const fine = calling({ onRetire: (...all) => void told.push(all) });
    announceRetirement(fine.factory, fine.config, 'r', 'lifetime');
    expect(told).toEqual([['r', 'lifetime']]);
    const failing = calling({ onRetire: fails });
    announceRetirement(failing.factory, failing.config, 'r', 'lifetime');
    expect(failing.messages()).toEqual(['failed']);
    const none = calling({});
    announceRetirement(none.factory, none.config, 'r', 'lifetime');
    expect(none.errors).toEqual([]);
  });
});
