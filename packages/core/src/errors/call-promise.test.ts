import { describe, expect, it, vi } from 'vitest';
import { failedCall, PendingCall, reportUnawaited } from './call-promise.js';

const turn = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
const boom = new Error('boom');

function call() {
  const unawaited = vi.fn();
  return { unawaited, pending: new PendingCall<number>(unawaited) };
}

describe('the promise of a call', () => {
  it('reports a failure that nobody awaits, and is no unhandled rejection', async () => {
    const { unawaited, pending } = call();
    pending.reject(boom);
    await turn();
    expect(unawaited).toHaveBeenCalledExactlyOnceWith(boom);
  });

  it.each([
    ['await', async (promise: Promise<number>) => expect(await promise.catch(() => 0)).toBe(0)],
    ['then', (promise: Promise<number>) => promise.then(undefined, () => 0)],
    ['finally', (promise: Promise<number>) => promise.finally(() => undefined).catch(() => 0)],
    ['all', (promise: Promise<number>) => Promise.all([promise]).catch(() => [0])],
    ['race', (promise: Promise<number>) => Promise.race([promise]).catch(() => 0)],
  ])('leaves a failure to those who wait by %s, before or in the turn of it', async (_, wait) => {
    const { unawaited, pending } = call();
    const waiting = wait(pending.promise);
    pending.reject(boom);
    await waiting;
    const late = call();
    late.pending.reject(boom);
    await wait(late.pending.promise);
    await turn();
    expect(unawaited).not.toHaveBeenCalled();
    expect(late.unawaited).not.toHaveBeenCalled();
  });

  it('is an ordinary promise to those who chain: what they leave unhandled is theirs', () => {
    const { pending } = call();
    expect(pending.promise).toBeInstanceOf(Promise);
    expect(pending.promise.then().constructor).toBe(Promise);
    pending.resolve(1);
  });

  it('settles as the work behind it does', async () => {
    const unawaited = vi.fn();
    expect(await reportUnawaited(Promise.resolve(7), unawaited)).toBe(7);
    await expect(reportUnawaited(Promise.reject(boom), unawaited)).rejects.toBe(boom);
    await expect(failedCall(boom, unawaited)).rejects.toBe(boom);
    void reportUnawaited(Promise.reject(boom), unawaited);
    await turn();
    expect(unawaited).toHaveBeenCalledOnce();
  });
});
