import { describe, expect, it } from 'vitest';
import { ManualClock, settled } from '../manual-clock.js';
import { Readiness } from './readiness.js';

function asked(min: number) {
  const outcomes: unknown[] = [];
  const readiness = new Readiness(
    min,
    new ManualClock(),
    () => undefined,
    () => undefined,
  );
  const ask = (): void => {
    readiness.enter({ timeout: 1_000, signal: undefined }).then(
      () => outcomes.push('ready'),
      (error: unknown) => outcomes.push(error),
    );
  };
  return { readiness, outcomes, ask };
}

describe('whether a pool is ready', () => {
  it('is answered to all callers when enough resources exist', async () => {
    const { readiness, outcomes, ask } = asked(2);
    ask();
    ask();
    expect(readiness.awaited).toBe(true);
    readiness.reached(1);
    await settled();
    expect(outcomes).toEqual([]);
    readiness.reached(2);
    await settled();
    expect(outcomes).toEqual(['ready', 'ready']);
    expect(readiness.awaited).toBe(false);
  });

  it('needs one if the pool keeps none, while a caller waits for it', async () => {
    const { readiness, outcomes, ask } = asked(0);
    expect([readiness.target, readiness.suffices(0), readiness.suffices(1)]).toEqual([0, false, true]);
    ask();
    expect(readiness.target).toBe(1);
    readiness.reached(0);
    await settled();
    expect(outcomes).toEqual([]);
    readiness.reached(1);
    await settled();
    expect(outcomes).toEqual(['ready']);
    expect(readiness.target).toBe(0);
  });

  it('never asks for fewer than are kept', () => {
    const { readiness, ask } = asked(3);
    ask();
    expect(readiness.target).toBe(3);
    expect([readiness.suffices(2), readiness.suffices(3)]).toEqual([false, true]);
  });

  it('fails for all callers by the first failure', async () => {
    const { readiness, outcomes, ask } = asked(1);
    const failure = new Error('unreachable');
    ask();
    ask();
    readiness.fail(failure);
    await settled();
    expect(outcomes).toEqual([failure, failure]);
  });
});
