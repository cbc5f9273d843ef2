import { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ProxyInfo } from '../transport/proxy-header.js';
import { PendingConnection } from './pending-connection.js';
import { SilenceWatch } from './silence-watch.js';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A socket that isn't connected, with the counters of one that is. */
function socketWith(facts: { remoteAddress?: string; bytesRead?: number; bytesWritten?: number }): Socket {
  return Object.defineProperties(
    new Socket(),
    Object.fromEntries(
      Object.entries({ remotePort: facts.remoteAddress === undefined ? undefined : 4_000, ...facts }).map(
        ([name, value]) => [name, { value, writable: true }],
      ),
    ),
  );
}

function pending(socket = socketWith({ remoteAddress: '192.0.2.1' })) {
  const told: unknown[] = [];
  const subject = new PendingConnection(socket, {
    signalFailed: (error) => told.push(error),
    left: (pending) => told.push(pending),
  });
  return { subject, told };
}

describe('a pending connection', () => {
  it('reports that its peer left, and passes itself', () => {
    const { subject, told } = pending();
    subject.left();
    expect(told).toEqual([subject]);
  });

  it('gives a waiting call its result, its failure, or the reason of the refusal, whichever comes first', async () => {
    const failure = new Error('failed');
    const reason = new Error('out');
    const { subject } = pending();
    await expect(subject.race(Promise.resolve('done'))).resolves.toBe('done');
    await expect(subject.race(Promise.reject(failure))).rejects.toBe(failure);
    const never = subject.race(new Promise(() => undefined));
    subject.settle(reason);
    await expect(never).rejects.toBe(reason);
    await expect(subject.race(new Promise(() => undefined))).rejects.toBe(reason);
    await expect(subject.race(Promise.reject(failure))).rejects.toBe(reason);
  });

  it('is over once it is refused, and not once it is admitted', () => {
    const { subject } = pending();
    expect(subject.isGivenUp).toBe(false);
    subject.settle(null);
    expect(subject.isGivenUp).toBe(false);
    const out = pending().subject;
    out.settle(new Error('out'));
    expect(out.isGivenUp).toBe(true);
  });

  it('gives waiting calls the reason of the refusal, before or after they wait', () => {
    const reason = new Error('out');
    const early = pending().subject;
    const { signal } = early;
    early.settle(reason);
    expect(signal.reason).toBe(reason);
    const late = pending().subject;
    late.settle(reason);
    late.settle(new Error('again'));
    expect(late.signal.reason).toBe(reason);
    const { subject } = pending();
    const admitted = subject.signal;
    subject.settle(null);
    expect(admitted.aborted).toBe(false);
  });

  it('has the address of its socket, or of the client that a proxy reported', () => {
    const { subject } = pending(socketWith({ remoteAddress: '::ffff:192.0.2.1' }));
    expect(subject.remote).toEqual({ address: '192.0.2.1', port: 4_000 });
    subject.proxy = { source: null } as ProxyInfo;
    expect(subject.address).toContain('192.0.2.1');
    subject.proxy = { source: { address: '198.51.100.7', port: 5 } } as ProxyInfo;
    expect(subject.address).toBe('198.51.100.7:5');
    expect(pending(socketWith({})).subject.remote).toBeNull();
  });

  it('counts as active once TLS has answered, beyond what was sent before it', () => {
    const socket = socketWith({ bytesWritten: 0 }) as Socket & { bytesWritten: number };
    const { subject } = pending(socket);
    expect(subject.hasSpoken).toBe(false);
    socket.bytesWritten = 5;
    expect(subject.hasSpoken).toBe(true);
    subject.saidBeforeTls = 5;
    expect(subject.hasSpoken).toBe(false);
  });

  it('reports what a listener of its signal throws', async () => {
    const { subject, told } = pending();
    const failure = new Error('listener');
    subject.signal.addEventListener('abort', () => {
      throw failure;
    });
    subject.settle(new Error('out'));
    await Promise.resolve();
    vi.runAllTimers();
    expect(told).toContain(failure);
  });
});

describe('silence', () => {
  it('is a second in which nothing arrived, checked after pending input was read', () => {
    const socket = socketWith({ bytesRead: 100 }) as Socket & { bytesRead: number };
    const talking = socketWith({ bytesRead: 100 }) as Socket & { bytesRead: number };
    const [silent, talker] = [pending(socket).subject, pending(talking).subject];
    const watch = new SilenceWatch();
    watch.look([silent, talker]);
    expect(silent.hasFallenSilent).toBe(false);
    vi.advanceTimersByTime(999);
    talking.bytesRead = 200;
    expect(silent.hasFallenSilent).toBe(false);
    vi.advanceTimersByTime(2);
    expect([silent.hasFallenSilent, talker.hasFallenSilent]).toEqual([true, false]);
    silent.verifying = true;
    expect(silent.hasFallenSilent).toBe(false);
    silent.verifying = false;
    socket.bytesRead = 101;
    expect(silent.hasFallenSilent).toBe(false);
  });

  it('is checked once at a time, and again afterwards', () => {
    const { subject } = pending(socketWith({ bytesRead: 1 }));
    const watch = new SilenceWatch();
    const count = vi.getTimerCount();
    watch.look([]);
    watch.look([subject]);
    expect(vi.getTimerCount()).toBe(count + 1);
    vi.advanceTimersByTime(1_001);
    expect(subject.hasFallenSilent).toBe(false);
    watch.look([subject]);
    vi.advanceTimersByTime(1_001);
    expect(subject.hasFallenSilent).toBe(true);
  });

  it('is no longer checked once the watch has ended', () => {
    const { subject } = pending(socketWith({ bytesRead: 1 }));
    const watch = new SilenceWatch();
    const count = vi.getTimerCount();
    watch.look([subject]);
    watch.stop();
    watch.look([subject]);
    expect(vi.getTimerCount()).toBe(count);
    vi.advanceTimersByTime(2_000);
    expect(subject.silentAt).toBeNull();
  });
});
