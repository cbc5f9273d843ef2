import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { withDeadline } from './with-deadline.js';

const late = () => new Error('late');
const never = () => new Promise<never>(() => undefined);

describe('work with a deadline', () => {
  it('gives what it comes to, and throws what it throws', async () => {
    await expect(withDeadline({ ms: 1_000, run: () => 'done', late })).resolves.toBe('done');
    const failing = () => {
      throw new Error('failed');
    };
    await expect(withDeadline({ ms: 1_000, run: failing, late })).rejects.toThrow('failed');
  });

  it('ends when the time is over, and aborts the work with the same reason', async () => {
    let reason: unknown;
    const work = (signal: AbortSignal) => {
      signal.addEventListener('abort', () => {
        reason = signal.reason;
      });
      return never();
    };
    await expect(withDeadline({ ms: 20, run: work, late })).rejects.toThrow('late');
    expect(reason).toEqual(late());
  });

  it("ends by the caller's signal, with its reason, and before it begins where that fired already", async () => {
    const caller = new AbortController();
    const waiting = withDeadline({ ms: 60_000, signal: caller.signal, run: never, late });
    caller.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    let begun = false;
    const work = () => (begun = true);
    await expect(withDeadline({ ms: 60_000, signal: caller.signal, run: work, late })).rejects.toThrow(
      'enough',
    );
    expect(begun).toBe(false);
  });

  it('ends although memory is collected meanwhile', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const over = { yes: false };
    const waiting = withDeadline({ ms: 100, signal: AbortSignal.timeout(60_000), run: never, late }).finally(
      () => (over.yes = true),
    );
    const outcome = expect(waiting).rejects.toThrow('late');
    while (!over.yes) {
      collect();
      await setImmediate();
    }
    await outcome;
  });

  it("ends by a timeout of the caller's that nobody else holds, although memory is collected", async () => {
    const collect = runInNewContext('gc') as () => void;
    const over = { yes: false };
    const waiting = withDeadline({ ms: 60_000, signal: AbortSignal.timeout(100), run: never, late }).finally(
      () => (over.yes = true),
    );
    const outcome = expect(waiting).rejects.toMatchObject({ name: 'TimeoutError' });
    while (!over.yes) {
      collect();
      await setImmediate();
    }
    await outcome;
  });

  it('discards a result that comes after the deadline', async () => {
    const discarded: string[] = [];
    let finish = (_: string): void => undefined;
    const run = () => new Promise<string>((resolve) => (finish = resolve));
    const discard = (result: string) => discarded.push(result);
    await expect(withDeadline({ ms: 1, run, late, discard })).rejects.toThrow('late');
    finish('too late');
    await setImmediate();
    expect(discarded).toEqual(['too late']);
  });

  it("reports what a listener of the work's signal throws", async () => {
    const failure = new Error('from a listener');
    const run = (signal: AbortSignal) => {
      signal.addEventListener('abort', () => {
        throw failure;
      });
      return never();
    };
    const reported: unknown[] = [];
    const signalFailed = (error: unknown) => reported.push(error);
    await expect(withDeadline({ ms: 1, run, late, signalFailed })).rejects.toThrow('late');
    expect(reported).toEqual([failure]);
  });

  it('takes its time from the clock it is given', async () => {
    const timers: (() => void)[] = [];
    const clock = {
      after: (_: number, callback: () => void) => (timers.push(callback), { cancel: () => undefined }),
    };
    const waiting = withDeadline({ ms: 3_600_000, run: never, late, clock });
    timers[0]?.();
    await expect(waiting).rejects.toThrow('late');
  });
});
