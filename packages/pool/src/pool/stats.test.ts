import { EasySocketError } from '@knsock/core';
import { describe as suite, expect, it } from 'vitest';
import { PoolQueueFullError, PoolTimeoutError } from './errors.js';
import { Histogram } from './histogram.js';
import { isFinal, rejectExpired } from './reject-expired.js';
import { describe, type PoolStats } from './stats.js';

const none = new Histogram().snapshot();
const calm: PoolStats = {
  total: 3,
  active: 2,
  idle: 1,
  waiting: 0,
  creating: 0,
  checking: 0,
  closing: 0,
  min: 0,
  max: 10,
  suspended: false,
  created: 3,
  destroyed: 0,
  timeouts: 0,
  leaks: 0,
  lastFailure: undefined,
  acquire: none,
  usage: none,
  creation: none,
};
const failed = (error: unknown): PoolStats => ({
  ...calm,
  lastFailure: { error, at: new Date(0), count: 1 },
});

suite('the state of a pool in a line', () => {
  it.each<[string, Partial<PoolStats>, string]>([
    ['is short if nothing special happens', {}, '2 active, 1 idle, 0 waiting, max 10'],
    ['counts what is being created', { creating: 1 }, '2 active, 1 idle, 0 waiting, 1 being created, max 10'],
    ['counts what is being checked', { checking: 4 }, '2 active, 1 idle, 0 waiting, 4 being checked, max 10'],
    ['counts what is closing', { closing: 2 }, '2 active, 1 idle, 0 waiting, 2 closing, max 10'],
    ['says that it is suspended', { suspended: true }, '2 active, 1 idle, 0 waiting, suspended, max 10'],
    [
      'ends with the last failure',
      failed(new Error('refused')),
      '2 active, 1 idle, 0 waiting, max 10, last failure: refused',
    ],
    [
      'shows a failure that is no error',
      failed('refused'),
      '2 active, 1 idle, 0 waiting, max 10, last failure: refused',
    ],
  ])('%s', (_, facts, line) => {
    expect(describe({ ...calm, ...facts })).toBe(line);
  });
});

suite('a caller that got nothing', () => {
  const refused = new EasySocketError('KNSOCK_TEST', 'refused', { hint: 'start it', retryable: false });
  const empty = { ...failed(refused), active: 0, idle: 0 };

  it('contains how long the caller waited, the state and the cause', () => {
    const error = new PoolTimeoutError(30_000, failed(refused));
    expect(error.message).toBe(
      'nothing to lend within 30,000 ms: 2 active, 1 idle, 0 waiting, max 10, last failure: refused',
    );
    expect(error).toMatchObject({ ms: 30_000, stats: { active: 2 }, cause: refused, retryable: true });
    expect(error.hint).not.toBe('start it');
  });

  it('has the hint of the failure to create, if nothing is open', () => {
    expect(new PoolTimeoutError(1, empty)).toMatchObject({ hint: 'start it', retryable: false });
    for (const open of [{ active: 1 }, { idle: 1 }, { checking: 1 }])
      expect(new PoolTimeoutError(1, { ...empty, ...open }).hint).not.toBe('start it');
  });

  it('has the usual hint if the failure has none', () => {
    const usual = new PoolTimeoutError(1, { ...calm, active: 0, idle: 0 });
    expect([usual.cause, usual.retryable]).toEqual([undefined, true]);
    const plain = { ...failed(new Error('plain')), active: 0, idle: 0 };
    expect(new PoolTimeoutError(1, plain).hint).toBe(usual.hint);
  });

  it('contains that too many wait, and the limit', () => {
    const error = new PoolQueueFullError(10_000, calm);
    expect(error.message).toMatch(/^10,000 callers wait already, which is the limit: 2 active/);
    expect(error).toMatchObject({ limit: 10_000, stats: calm });
  });

  it('is counted among those that waited in what it is rejected with', () => {
    const rejected: PoolTimeoutError[] = [];
    const late = (since: number, deadline: number) => ({
      since,
      deadline,
      reject: (error: unknown) => void rejected.push(error as PoolTimeoutError),
    });
    rejectExpired('p', [late(10, 110.4), late(50, 150)], { ...calm, waiting: 1 });
    expect(rejected.map(({ ms, stats }) => [ms, stats.waiting])).toEqual([
      [100, 3],
      [100, 3],
    ]);
  });

  it("needn't wait for another attempt if the failure says that a retry can't help", () => {
    expect(isFinal(refused)).toBe(true);
    expect(isFinal(new EasySocketError('KNSOCK_TEST', 'busy', { retryable: true }))).toBe(false);
    expect(isFinal(new Error('unknown'))).toBe(false);
  });
});
