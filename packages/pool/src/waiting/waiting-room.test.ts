import { describe, expect, it } from 'vitest';
import type { Clock } from '../clock.js';
import { ManualClock, settled } from '../manual-clock.js';
import { WaitingRoom } from './waiting-room.js';

/** A room, the outcome of each caller, and whether its timer keeps the process alive. */
function opened() {
  const manual = new ManualClock();
  let keepsAlive = false;
  const clock: Clock = {
    now: () => manual.now(),
    after: (ms, callback) => ({
      ...manual.after(ms, callback),
      keepAlive: (yes) => (keepsAlive = yes),
    }),
  };
  const outcomes: string[] = [];
  const left: number[] = [];
  const room = new WaitingRoom<string>(
    clock,
    (late) => {
      for (const { reject, since } of late) reject(`late since ${since}`);
    },
    () => void left.push(manual.now()),
  );
  const enter = (name: string, timeout: number, signal?: AbortSignal): void => {
    room.enter({ timeout, signal }).then(
      (got) => outcomes.push(`${name}: ${got}`),
      (reason: unknown) =>
        outcomes.push(`${name}: ${reason instanceof Error ? reason.message : String(reason)}`),
    );
  };
  return { manual, room, outcomes, left, enter, keepsAlive: () => keepsAlive };
}

describe('callers that wait', () => {
  it('are served in their order', async () => {
    const { room, outcomes, enter } = opened();
    enter('a', 100);
    enter('b', 50);
    room.next()?.resolve('first');
    room.next()?.resolve('second');
    await settled();
    expect(outcomes).toEqual(['a: first', 'b: second']);
    expect([room.size, room.next()]).toEqual([0, undefined]);
  });

  it('expire each at its own deadline, with one timer for all', async () => {
    const { manual, room, outcomes, left, enter } = opened();
    enter('a', 100);
    enter('b', 50);
    enter('c', 200);
    expect(manual.timers).toBe(1);
    await manual.advance(49);
    expect(outcomes).toEqual([]);
    await manual.advance(1);
    expect([outcomes, room.size]).toEqual([['b: late since 0'], 2]);
    await manual.advance(50);
    expect(outcomes.slice(1)).toEqual(['a: late since 0']);
    expect([left, manual.timers]).toEqual([[50, 100], 1]);
    await manual.advance(100);
    expect([left, manual.timers]).toEqual([[50, 100, 200], 0]);
  });

  it('expire by their own deadline if they came later', async () => {
    const { manual, outcomes, enter } = opened();
    await manual.advance(30);
    enter('a', 100);
    await manual.advance(10);
    enter('b', 20.5);
    await manual.advance(20);
    expect(outcomes).toEqual([]);
    await manual.advance(1);
    expect(outcomes).toEqual(['b: late since 40']);
  });

  it("don't signal a lower need when all were served in time", async () => {
    const { manual, room, left, enter } = opened();
    enter('a', 100);
    room.next()?.resolve('x');
    await manual.advance(100);
    expect([left, manual.timers]).toEqual([[], 0]);
  });

  it('may give up, which signals a lower need once', async () => {
    const { room, outcomes, left, enter } = opened();
    const controller = new AbortController();
    enter('a', 100, controller.signal);
    enter('b', 100);
    controller.abort(new Error('enough'));
    await settled();
    expect([outcomes, left, room.size]).toEqual([['a: enough'], [0], 1]);
    const served = new AbortController();
    enter('c', 100, served.signal);
    room.next()?.resolve('x');
    room.next()?.resolve('y');
    served.abort(new Error('too late'));
    await settled();
    expect([outcomes.slice(1), left]).toEqual([['b: x', 'c: y'], [0]]);
  });

  it('are all rejected when the room is cleared, each by its own reason', async () => {
    const { manual, room, outcomes, enter } = opened();
    enter('a', 100);
    await manual.advance(5);
    enter('b', 100);
    room.clear(({ since }) => `closed since ${since}`);
    await settled();
    expect(outcomes).toEqual(['a: closed since 0', 'b: closed since 5']);
    expect([room.size, manual.timers]).toEqual([0, 0]);
    // It can be entered again, and is timed as before.
    enter('c', 10);
    await manual.advance(10);
    expect(outcomes.at(-1)).toBe('c: late since 5');
  });

  it("can't wait for ever", async () => {
    const { room, outcomes, enter } = opened();
    enter('a', Infinity);
    await settled();
    expect(outcomes).toEqual([expect.stringMatching(/^a: timeout/)]);
    expect(room.size).toBe(0);
  });

  it('keep the process alive, and only while one of them waits', () => {
    const { room, enter, keepsAlive } = opened();
    const controller = new AbortController();
    enter('a', 100);
    expect(keepsAlive()).toBe(true);
    enter('b', 100);
    room.next();
    expect(keepsAlive()).toBe(true);
    room.next();
    expect(keepsAlive()).toBe(false);
    // The timer set for the first serves one that comes later.
    enter('c', 200, controller.signal);
    expect(keepsAlive()).toBe(true);
    controller.abort();
    expect(keepsAlive()).toBe(false);
  });
});
