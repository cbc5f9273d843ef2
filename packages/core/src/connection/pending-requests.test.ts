import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { PendingRequests } from './pending-requests.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function pendingRequests() {
  const abandoned: number[] = [];
  return { abandoned, pending: new PendingRequests<string>((id) => abandoned.push(id)) };
}

describe('PendingRequests', () => {
  it('gives each answer to its request, in any order and once', async () => {
    const { pending } = pendingRequests();
    const waits = [1, 2, 3].map((id) => pending.wait(id, 1_000, undefined));
    for (const id of [3, 1, 2]) expect(pending.settle(id, `answer ${id}`)).toBe(true);
    expect(await Promise.all(waits)).toEqual(['answer 1', 'answer 2', 'answer 3']);
    expect(pending.settle(2, 'again')).toBe(false);
    expect(pending.fail(2, new Error('again'))).toBe(false);
    expect(pending.size).toBe(0);
  });

  it('gives each request its own deadline by one timer', async () => {
    const { pending, abandoned } = pendingRequests();
    const ends: string[] = [];
    const note = (id: number, ms: number): void => {
      pending
        .wait(id, ms, undefined)
        .catch((error: unknown) => ends.push(`${id}: ${(error as { ms: number }).ms}`));
    };
    note(1, 300);
    note(2, 100);
    note(3, 200);
    expect(vi.getTimerCount()).toBe(1);
    await vi.advanceTimersByTimeAsync(100);
    expect(ends).toEqual(['2: 100']);
    await vi.advanceTimersByTimeAsync(210);
    expect(ends).toEqual(['2: 100', '3: 200', '1: 300']);
    expect(abandoned).toEqual([2, 3, 1]);
  });

  it('names the timeout as one of the request', async () => {
    const { pending } = pendingRequests();
    const wait = expect(pending.wait(1, 50, undefined)).rejects.toMatchObject({
      code: 'KNSOCK_REQUEST_TIMEOUT',
      phase: 'request',
      ms: 50,
    });
    await vi.advanceTimersByTimeAsync(51);
    await wait;
  });

  it("rejects with the signal's reason and removes its listener after an answer", async () => {
    const { pending, abandoned } = pendingRequests();
    const controller = new AbortController();
    const answered = pending.wait(1, 1_000, controller.signal);
    pending.settle(1, 'yes');
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
    const aborted = pending.wait(2, 1_000, controller.signal);
    const reason = new Error('enough');
    controller.abort(reason);
    expect(await answered).toBe('yes');
    await expect(aborted).rejects.toBe(reason);
    expect(abandoned).toEqual([2]);
  });

  it('knows which request has waited longest', () => {
    const { pending } = pendingRequests();
    for (const id of [1, 2, 3]) void pending.wait(id, 1_000, undefined);
    pending.settle(1, '');
    expect(pending.oldest).toBe(2);
  });

  it('fails those concerned, and leaves no timer once all have failed', async () => {
    const { pending } = pendingRequests();
    const waits = [1, 2, 3].map((id) =>
      pending.wait(id, 1_000, undefined).catch((error: unknown) => String(error)),
    );
    pending.failWhere(
      (id) => id > 1,
      (id) => new Error(`not ${id}`),
    );
    pending.failAll(() => new Error('gone'));
    expect(await Promise.all(waits)).toEqual(['Error: gone', 'Error: not 2', 'Error: not 3']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('keeps its timer for the next request, and leaves none behind at the end', () => {
    const { pending } = pendingRequests();
    void pending.wait(1, 30_000, undefined);
    pending.settle(1, 'answer');
    expect(vi.getTimerCount()).toBe(1);
    const why = vi.fn(() => new Error('gone'));
    pending.failAll(why);
    expect(vi.getTimerCount()).toBe(0);
    expect(why).not.toHaveBeenCalled();
  });
});
