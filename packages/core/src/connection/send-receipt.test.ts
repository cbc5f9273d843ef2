import { describe, expect, it } from 'vitest';
import { PendingReceipt } from './send-receipt.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function made(): { receipt: PendingReceipt; reported: Error[] } {
  const reported: Error[] = [];
  return { receipt: new PendingReceipt((error) => reported.push(error)), reported };
}

const failure = new Error('not sent');

describe('the promise of a send', () => {
  it('that nobody awaits reports its failure, and ends no process', async () => {
    const { receipt, reported } = made();
    receipt.settle(failure);
    expect(reported).toEqual([]);
    await turn();
    expect(reported).toEqual([failure]);
    expect(receipt.promise.isAwaited).toBe(false);
  });

  it.each<[string, (promise: Promise<void>) => Promise<unknown>]>([
    ['await', async (promise) => await promise],
    ['then', (promise) => promise.then(() => undefined)],
    ['catch', (promise) => promise.catch((error: unknown) => Promise.reject(error as Error))],
    ['finally', (promise) => promise.finally(() => undefined)],
    ['Promise.all', (promise) => Promise.all([promise])],
  ])('that somebody awaits by %s gives the failure to them alone', async (_how, wait) => {
    const { receipt, reported } = made();
    const waiting = wait(receipt.promise);
    receipt.settle(failure);
    await expect(waiting).rejects.toBe(failure);
    await turn();
    expect(reported).toEqual([]);
  });

  it('may be awaited in the same turn as it fails', async () => {
    const { receipt, reported } = made();
    receipt.settle(failure);
    await expect(receipt.promise).rejects.toBe(failure);
    await turn();
    expect(reported).toEqual([]);
  });

  it('resolves where the message was sent, and reports nothing', async () => {
    const { receipt, reported } = made();
    receipt.settle(null);
    await turn();
    await receipt.promise;
    expect(reported).toEqual([]);
  });

  it('chains to ordinary promises, whose failures are the program’s', () => {
    const { receipt } = made();
    const chained = receipt.promise.then(() => 1);
    expect(chained).toBeInstanceOf(Promise);
    expect('isAwaited' in chained).toBe(false);
    receipt.settle(null);
  });
});
