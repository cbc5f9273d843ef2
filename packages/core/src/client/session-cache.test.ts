import { expect, it } from 'vitest';
import { SessionCache, type KeptSession } from './session-cache.js';

function session(text: string): KeptSession {
  return { session: Buffer.from(text), path: [] };
}

function taken(cache: SessionCache, key: string): string | undefined {
  return cache.take(key)?.session.toString();
}

it('returns each session once, the newest first, and the last one on every request', () => {
  const cache = new SessionCache();
  for (const text of ['first', 'second', 'third']) cache.keep('here', session(text));
  expect([1, 2, 3, 4].map(() => taken(cache, 'here'))).toEqual(['third', 'second', 'first', 'first']);
  cache.keep('here', session('fourth'));
  expect([taken(cache, 'here'), taken(cache, 'here')]).toEqual(['fourth', 'first']);
});

it('returns nothing for another key, and nothing that was removed', () => {
  const cache = new SessionCache();
  cache.keep('here', session('mine'));
  expect(taken(cache, 'there')).toBeUndefined();
  cache.forget('here');
  expect(taken(cache, 'here')).toBeUndefined();
  expect(cache.size).toBe(0);
});

it('keeps 64 of one key, the newest', () => {
  const cache = new SessionCache();
  for (let n = 0; n < 100; n += 1) cache.keep('here', session(`${n}`));
  expect(cache.size).toBe(64);
  const all = Array.from({ length: 64 }, () => Number(taken(cache, 'here')));
  expect(all).toEqual(Array.from({ length: 64 }, (_, n) => 99 - n));
});

it('keeps 4,096 in all: the key that has received none for longest is removed', () => {
  const cache = new SessionCache();
  cache.keep('busy', session('early'));
  for (let n = 0; n < 3_000; n += 1) {
    for (const which of ['first', 'second']) cache.keep(`key ${n}`, session(which));
    cache.take('busy');
    if (n % 500 === 0) cache.keep('busy', session(`${n}`));
  }
  expect(cache.size).toBeGreaterThan(4_000);
  expect(cache.size).toBeLessThanOrEqual(4_096);
  expect(taken(cache, 'busy')).toBe('early');
  expect(taken(cache, 'key 0')).toBeUndefined();
  expect(taken(cache, 'key 2999')).toBe('second');
});
