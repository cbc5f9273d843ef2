import { describe, expect, it } from 'vitest';
import { ManualClock, settled } from '../manual-clock.js';
import { Overtaken, stagger } from './stagger.js';

/** Attempts that end when the test says so. */
function race(count: number, signal = new AbortController().signal) {
  const clock = new ManualClock();
  const begun: { signal: AbortSignal; win: (what: string) => void; lose: (error: Error) => void }[] = [];
  const discarded: string[] = [];
  const starts = Array.from(
    { length: count },
    () => (own: AbortSignal) =>
      new Promise<string>((win, lose) => {
        begun.push({ signal: own, win, lose });
      }),
  );
  const result = stagger(clock, { starts, delay: 250, signal, discard: (what) => void discarded.push(what) });
  result.catch(() => undefined);
  return { clock, begun, discarded, result };
}

describe('attempts', () => {
  it('begin one after the other, each with the delay after the last', async () => {
    const { clock, begun } = race(3);
    expect(begun).toHaveLength(1);
    await clock.advance(249);
    expect(begun).toHaveLength(1);
    await clock.advance(1);
    expect(begun).toHaveLength(2);
    await clock.advance(250);
    expect(begun).toHaveLength(3);
    expect(clock.timers).toBe(0);
  });

  it('begin at once where the last one failed, and the wait begins anew', async () => {
    const { clock, begun, result } = race(3);
    await clock.advance(200);
    begun[0]?.lose(new Error('first'));
    await settled();
    expect(begun).toHaveLength(2);
    await clock.advance(249);
    expect(begun).toHaveLength(2);
    await clock.advance(1);
    expect(begun).toHaveLength(3);
    begun[2]?.win('third');
    expect(await result).toBe('third');
  });

  it('that lost are aborted, and the reason says whether the winner started later', async () => {
    const { clock, begun, result, discarded } = race(4);
    await clock.advance(500);
    begun[1]?.win('second');
    expect(await result).toBe('second');
    expect(begun.map(({ signal }) => signal.aborted)).toEqual([true, false, true]);
    expect(begun[0]?.signal.reason).toBeInstanceOf(Overtaken);
    expect([begun[0], begun[2]].map((one) => (one?.signal.reason as Overtaken).slow)).toEqual([true, false]);
    await clock.advance(1_000);
    expect(begun).toHaveLength(3);
    // A loser's late result is handed over, and its failure is ignored.
    begun[0]?.win('first');
    begun[2]?.lose(new Error('third'));
    await settled();
    expect(discarded).toEqual(['first']);
    expect(begun).toHaveLength(3);
  });

  it('that all failed fail with the last failure', async () => {
    const { clock, begun, result } = race(2);
    await clock.advance(250);
    begun[1]?.lose(new Error('second'));
    await settled();
    begun[0]?.lose(new Error('first'));
    await expect(result).rejects.toThrow('first');
    expect(clock.timers).toBe(0);
  });

  it('end when the caller gives up, for its reason', async () => {
    const controller = new AbortController();
    const { clock, begun, result } = race(3, controller.signal);
    await clock.advance(250);
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(result).rejects.toBe(reason);
    expect(begun.map(({ signal }) => signal.reason as Error)).toEqual([reason, reason]);
    expect(clock.timers).toBe(0);
    await clock.advance(1_000);
    expect(begun).toHaveLength(2);
  });

  it("don't begin where the caller gave up before", async () => {
    const reason = new Error('before');
    const { begun, result } = race(2, AbortSignal.abort(reason));
    await expect(result).rejects.toBe(reason);
    expect(begun).toEqual([]);
  });

  it("leave nothing on the caller's signal", async () => {
    const { signal } = new AbortController();
    let listeners = 0;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...given: Parameters<typeof add>) => {
      listeners += 1;
      add(...given);
    };
    signal.removeEventListener = (...given: Parameters<typeof remove>) => {
      listeners -= 1;
      remove(...given);
    };
    const { begun, result } = race(1, signal);
    begun[0]?.win('only');
    await result;
    expect(listeners).toBe(0);
  });
});
