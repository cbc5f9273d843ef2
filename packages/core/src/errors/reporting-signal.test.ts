import { getEventListeners, once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { reportingController } from './reporting-signal.js';

const failed = vi.fn<(error: unknown) => void>();
let controller: AbortController;
let signal: AbortSignal;

beforeEach(() => {
  failed.mockReset();
  controller = reportingController(failed);
  ({ signal } = controller);
});

const boom = (text: string) => () => {
  throw new Error(text);
};
const told = () => failed.mock.calls.map(([error]) => (error as Error).message);

describe('a reporting signal', () => {
  it('reports what its listeners throw, of every kind, and calls the others all the same', () => {
    const others = vi.fn();
    signal.addEventListener('abort', boom('a function'));
    signal.addEventListener('abort', { handleEvent: boom('an object') });
    signal.onabort = boom('replaced');
    signal.onabort = boom('onabort');
    signal.addEventListener('abort', others);
    controller.abort();
    expect(told()).toEqual(['a function', 'an object', 'onabort']);
    expect(others).toHaveBeenCalledOnce();
  });

  it('reports what asynchronous listeners reject with, by promises of other libraries too', async () => {
    const rejecting: () => unknown = async () => {
      await Promise.resolve();
      throw new Error('a promise');
    };
    signal.addEventListener('abort', rejecting);
    signal.addEventListener('abort', () => ({ then: boom('a then') }));
    signal.addEventListener('abort', () => Object.defineProperty({}, 'then', { get: boom('a getter') }));
    controller.abort();
    await new Promise((resolve) => setImmediate(resolve));
    expect(told().sort()).toEqual(['a getter', 'a promise', 'a then']);
  });

  it('gives its listeners the event, and itself as `this`', () => {
    const seen: unknown[] = [];
    signal.addEventListener('abort', function (this: unknown, event) {
      seen.push(this, event.type, event.target);
    });
    controller.abort();
    expect(seen).toEqual([signal, 'abort', signal]);
  });

  it('adds a listener once, and forgets one that is removed', () => {
    const listener = vi.fn();
    const removed = vi.fn<() => void>();
    signal.addEventListener('abort', listener);
    signal.addEventListener('abort', listener, { once: true });
    signal.addEventListener('abort', removed);
    signal.removeEventListener('abort', removed);
    signal.removeEventListener('abort', () => undefined);
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    controller.abort();
    expect(listener).toHaveBeenCalledOnce();
    expect(removed).not.toHaveBeenCalled();
  });

  it('shares a listener with other signals, each of which reports for itself', () => {
    const others = vi.fn<(error: unknown) => void>();
    const other = reportingController(others);
    const listener = boom('both');
    signal.addEventListener('abort', listener);
    other.signal.addEventListener('abort', listener);
    other.abort();
    expect([failed.mock.calls.length, others.mock.calls.length]).toEqual([0, 1]);
    other.signal.removeEventListener('abort', listener);
    controller.abort();
    expect(told()).toEqual(['both']);
  });

  it('leaves what is no listener to Node', () => {
    expect(() => signal.addEventListener('abort', 5 as never)).toThrow(TypeError);
  });

  it('is an AbortSignal to Node: timers, fetch, events, streams and AbortSignal.any take it', async () => {
    expect(signal).toBeInstanceOf(AbortSignal);
    const reason = new Error('enough');
    const waits = [wait(60_000, undefined, { signal }), once(process, 'knsock-never', { signal })];
    const fetched = fetch('http://127.0.0.1:1', {
      signal: AbortSignal.any([signal, new AbortController().signal]),
    });
    const heard = once(signal, 'abort');
    controller.abort(reason);
    for (const one of waits) await expect(one).rejects.toMatchObject({ name: 'AbortError', cause: reason });
    await expect(fetched).rejects.toBe(reason);
    await heard;
    expect(() => signal.throwIfAborted()).toThrow(reason);
    expect(failed).not.toHaveBeenCalled();
  });
});
