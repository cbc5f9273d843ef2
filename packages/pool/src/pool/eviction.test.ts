import fc from 'fast-check';
import { expect, it } from 'vitest';
import { dueAt, judge, lifetime } from './eviction.js';

const rules = { min: 1, idleTimeout: 100, keepalive: 40 };
const times = { usedAt: 0, aliveAt: 0, expiresAt: 1_000 };

it.each([
  ['keeps a fresh one', times, 2, 39, 'keep'],
  ['checks one that was silent for long', times, 2, 40, 'check'],
  ['destroys a surplus one', times, 2, 100, 'idle'],
  ['keeps the last min', { ...times, aliveAt: 90 }, 1, 100, 'keep'],
  ['destroys an old one, whatever min says', { ...times, aliveAt: 999 }, 1, 1_000, 'lifetime'],
] as const)('%s', (_, slot, live, now, verdict) => {
  expect(judge(slot, live, rules, now)).toBe(verdict);
});

it('nothing is due before it is said to be, and something is then', () => {
  const moment = fc.nat(2_000);
  const slot = fc.record({ usedAt: moment, aliveAt: moment, expiresAt: moment });
  fc.assert(
    fc.property(slot, fc.integer({ min: 1, max: 3 }), (facts, live) => {
      const due = dueAt(facts, live, rules);
      expect(judge(facts, live, rules, due)).not.toBe('keep');
      expect(judge(facts, live, rules, due - 1)).toBe('keep');
    }),
  );
});

it('a lifetime is at most a tenth shorter than allowed, and never longer than its own limit', () => {
  expect(lifetime(1_000, Infinity, () => 0)).toBe(1_000);
  expect(lifetime(1_000, Infinity, () => 1)).toBe(900);
  expect(lifetime(1_000, 500, () => 0)).toBe(500);
  expect(lifetime(1_000, -5, () => 0)).toBe(0);
});
