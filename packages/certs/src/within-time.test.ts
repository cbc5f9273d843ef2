import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { withinTime } from './within-time.js';

const late = () => new Error('late');
const never = () => new Promise<never>(() => undefined);

describe('work within a time', () => {
  it('gives what it comes to, and throws what it throws', async () => {
    await expect(withinTime(1_000, undefined, () => 'done', late)).resolves.toBe('done');
    const failing = () => {
      throw new Error('failed');
    };
    await expect(withinTime(1_000, undefined, failing, late)).rejects.toThrow('failed');
  });

  it('ends when the time is over, and the work is told', async () => {
    let told: unknown;
    const work = (signal: AbortSignal) => {
      signal.addEventListener('abort', () => {
        told = signal.reason;
      });
      return never();
    };
    await expect(withinTime(20, undefined, work, late)).rejects.toThrow('late');
    expect(told).toMatchObject({ name: 'TimeoutError' });
  });

  it('ends by the caller’s signal, with its reason, and before it begins where that fired already', async () => {
    const caller = new AbortController();
    const waiting = withinTime(60_000, caller.signal, never, late);
    caller.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    let begun = false;
    const work = () => (begun = true);
    await expect(withinTime(60_000, caller.signal, work, late)).rejects.toThrow('enough');
    expect(begun).toBe(false);
  });

  it('ends although memory is collected meanwhile', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const over = { yes: false };
    const waiting = withinTime(100, AbortSignal.timeout(60_000), never, late).finally(
      () => (over.yes = true),
    );
    const outcome = expect(waiting).rejects.toThrow('late');
    while (!over.yes) {
      collect();
      await setImmediate();
    }
    await outcome;
  });

  it('ends by a timeout of the caller’s that nobody else holds, although memory is collected', async () => {
    const collect = runInNewContext('gc') as () => void;
    const over = { yes: false };
    const waiting = withinTime(60_000, AbortSignal.timeout(100), never, late).finally(
      () => (over.yes = true),
    );
    const outcome = expect(waiting).rejects.toMatchObject({ name: 'TimeoutError' });
    while (!over.yes) {
      collect();
      await setImmediate();
    }
    await outcome;
  });
});
