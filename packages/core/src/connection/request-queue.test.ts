import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RequestNotStartedError } from '../errors/index.js';
import { RequestQueue } from './request-queue.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const payload = Buffer.from('0123456789');

describe('RequestQueue', () => {
  it('gives requests up in order, with the time they have left', async () => {
    const queue = new RequestQueue<string>(100);
    const answers = [queue.add(payload, 1_000, undefined), queue.add(payload, 2_000, undefined)];
    await vi.advanceTimersByTimeAsync(400);
    expect(queue.next()?.timeLeft).toBe(600);
    queue.next()?.start(Promise.resolve('one'));
    expect(queue.next()?.timeLeft).toBe(1_600);
    queue.next()?.start(Promise.resolve('two'));
    expect(await Promise.all(answers)).toEqual(['one', 'two']);
    expect(queue.next()).toBeUndefined();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('says of a request that timed out here that it was never started', async () => {
    const queue = new RequestQueue<string>(100);
    const wait = expect(queue.add(payload, 50, undefined)).rejects.toSatisfy(
      (error) =>
        error instanceof RequestNotStartedError &&
        (error.cause as { code: string }).code === 'KNSOCK_REQUEST_TIMEOUT',
    );
    await vi.advanceTimersByTimeAsync(50);
    await wait;
    expect(queue.length).toBe(0);
  });

  it('is bounded, but takes a single request of any size', async () => {
    const queue = new RequestQueue<string>(15);
    void queue.add(Buffer.alloc(20), 1_000, undefined);
    await expect(queue.add(payload, 1_000, undefined)).rejects.toBeInstanceOf(RequestNotStartedError);
    queue.next()?.start(Promise.resolve(''));
    void queue.add(payload, 1_000, undefined);
    expect(queue.length).toBe(1);
  });

  it('forgets an aborted request', async () => {
    const queue = new RequestQueue<string>(100);
    const controller = new AbortController();
    const aborted = queue.add(payload, 1_000, controller.signal);
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(aborted).rejects.toBe(reason);
    await expect(queue.add(payload, 1_000, controller.signal)).rejects.toBe(reason);
    expect(queue.length).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('fails all with an error each', async () => {
    const queue = new RequestQueue<string>(100);
    const waits = [queue.add(payload, 1_000, undefined), queue.add(payload, 1_000, undefined)];
    queue.failAll(() => new Error('draining'));
    for (const wait of waits) await expect(wait).rejects.toThrow('draining');
  });
});
