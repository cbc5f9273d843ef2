import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { parseLimits, type LimitOptions } from '../policy/limits.js';
import { ConnectionTimeouts, type TimeoutEvents } from './timeouts.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

class Subject implements TimeoutEvents {
  activityCount = 0;
  isAtWork = false;
  bytesReceived = 0;
  messagesReceived = 0;
  bytesTaken = 0;
  isReadingHeld = false;
  heldBytes = 0;
  unsent = 0;
  pings = 0;
  retired = false;
  failure: { phase?: string; ms?: number } | null = null;
  answersPings = true;

  ping({ timeout }: { timeout: number }): Promise<number> {
    this.pings += 1;
    if (!this.answersPings) {
      return new Promise((_resolve, reject) =>
        setTimeout(() => {
          reject(new Error('late'));
        }, timeout),
      );
    }
    this.bytesReceived += 13;
    return Promise.resolve(1);
  }

  retire(): void {
    this.retired = true;
  }

  fail(error: Error): void {
    this.failure ??= error as never;
  }
}

function watch(limits: LimitOptions, maxLifetime: number | null = null) {
  const subject = new Subject();
  return { subject, timeouts: new ConnectionTimeouts(subject, parseLimits(limits), maxLifetime) };
}

describe('ConnectionTimeouts', () => {
  it('has no timer where no limit is set', () => {
    watch({});
    expect(vi.getTimerCount()).toBe(0);
  });

  it('ends a connection without activity, and keeps one with activity', () => {
    const { subject } = watch({ idleTimeout: 1_000 });
    for (let i = 0; i < 10; i++) {
      vi.advanceTimersByTime(900);
      subject.activityCount += 1;
    }
    expect(subject.failure).toBeNull();
    vi.advanceTimersByTime(1_250);
    expect(subject.failure).toMatchObject({ phase: 'idle', ms: 1_000 });
  });

  it('counts idle time only while nothing is in flight, from the end of the last work on', () => {
    const { subject } = watch({ idleTimeout: 1_000 });
    subject.isAtWork = true;
    vi.advanceTimersByTime(10_000);
    subject.isAtWork = false;
    vi.advanceTimersByTime(750);
    expect(subject.failure).toBeNull();
    vi.advanceTimersByTime(500);
    expect(subject.failure).toMatchObject({ phase: 'idle', ms: 1_000 });
  });

  it('leaves bytes that the peer takes too slowly to sendTimeout, however few', () => {
    const { subject } = watch({ idleTimeout: 1_000, sendTimeout: 5_000 });
    subject.unsent = 1;
    vi.advanceTimersByTime(5_000);
    expect(subject.failure).toBeNull();
    vi.advanceTimersByTime(2_500);
    expect(subject.failure).toMatchObject({ phase: 'send', ms: 5_000 });
  });

  it('ends a connection whose peer sends no complete message, however many bytes of one', () => {
    const silent = watch({ firstMessageTimeout: 500 });
    const talking = watch({ firstMessageTimeout: 500 });
    silent.subject.bytesReceived = 1;
    talking.subject.messagesReceived = 1;
    vi.advanceTimersByTime(500);
    expect(silent.subject.failure).toMatchObject({ phase: 'first-message', ms: 500 });
    expect(talking.subject.failure).toBeNull();
  });

  it('sends a silent peer a PING, and ends the connection where no answer arrives', async () => {
    const { subject } = watch({ heartbeat: { interval: 100, timeout: 50 } });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(subject.pings).toBeGreaterThan(2);
    expect(subject.failure).toBeNull();
    subject.answersPings = false;
    await vi.advanceTimersByTimeAsync(400);
    expect(subject.failure).toMatchObject({ phase: 'heartbeat' });
  });

  it("doesn't count silence while we ourselves don't read", async () => {
    const { subject } = watch({ heartbeat: { interval: 100, timeout: 50 } });
    subject.isReadingHeld = true;
    subject.answersPings = false;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(subject.failure).toBeNull();
  });

  it('ends a peer that reads nothing, and not one that reads slowly', () => {
    const { subject, timeouts } = watch({ sendTimeout: 1_000 });
    subject.unsent = 1;
    timeouts.congested();
    for (let i = 0; i < 5; i++) {
      subject.bytesTaken += 1;
      vi.advanceTimersByTime(1_000);
    }
    expect(subject.failure).toBeNull();
    vi.advanceTimersByTime(1_250);
    expect(subject.failure).toMatchObject({ phase: 'send', ms: 1_000 });
  });

  it('ends a peer that stops reading after sendTimeout and one check, not twice that', () => {
    const { subject, timeouts } = watch({ sendTimeout: 1_000 });
    subject.unsent = 1;
    timeouts.congested();
    vi.advanceTimersByTime(10);
    subject.bytesTaken += 1;
    vi.advanceTimersByTime(1_490);
    expect(subject.failure).toMatchObject({ phase: 'send' });
  });

  it('reports where both sides write and neither reads', () => {
    const { subject, timeouts } = watch({ sendTimeout: 1_000 });
    Object.assign(subject, { unsent: 7, isReadingHeld: true, heldBytes: 9 });
    timeouts.congested();
    vi.advanceTimersByTime(1_250);
    const words = /both sides write without reading.* 7 bytes .* 9 bytes/;
    expect(subject.failure).toMatchObject({ message: expect.stringMatching(words) as string });
  });

  it("doesn't count silence while bytes of ours wait, and then applies sendTimeout to the peer", async () => {
    const { subject } = watch({ heartbeat: { interval: 100, timeout: 50 }, sendTimeout: 1_000 });
    subject.unsent = 1;
    subject.answersPings = false;
    await vi.advanceTimersByTimeAsync(900);
    expect(subject.failure).toBeNull();
    await vi.advanceTimersByTimeAsync(600);
    expect(subject.failure).toMatchObject({ phase: 'send' });
  });

  it('keeps a peer that caught up', () => {
    const { subject, timeouts } = watch({ sendTimeout: 1_000 });
    timeouts.congested();
    timeouts.relieved();
    vi.advanceTimersByTime(5_000);
    expect(subject.failure).toBeNull();
  });

  it('retires a connection at the end of its lifetime', () => {
    const { subject } = watch({}, 2_000);
    vi.advanceTimersByTime(2_000);
    expect(subject.retired).toBe(true);
  });

  it('leaves no timer when it is over', () => {
    const { timeouts } = watch(
      { idleTimeout: 10, firstMessageTimeout: 10, heartbeat: { interval: 10, timeout: 10 } },
      10,
    );
    timeouts.congested();
    timeouts.stop();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('stops watching a slow peer once nothing waits for it, and starts afresh later', () => {
    const { subject, timeouts } = watch({ sendTimeout: 1_000 });
    subject.unsent = 10;
    timeouts.congested();
    timeouts.congested();
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(750);
    subject.unsent = 0;
    vi.advanceTimersByTime(250);
    expect([vi.getTimerCount(), subject.failure]).toEqual([0, null]);
    subject.unsent = 10;
    timeouts.congested();
    vi.advanceTimersByTime(999);
    expect(subject.failure).toBeNull();
    vi.advanceTimersByTime(1);
    expect(subject.failure).toMatchObject({
      phase: 'send',
      message: 'the peer read nothing for 1000 ms; 10 bytes were not sent',
    });
  });

  it('advises to read where both sides only write', () => {
    const { subject, timeouts } = watch({ sendTimeout: 1_000 });
    Object.assign(subject, { unsent: 10, isReadingHeld: true, heldBytes: 20 });
    timeouts.congested();
    vi.advanceTimersByTime(1_000);
    expect(subject.failure).toMatchObject({
      message: expect.stringContaining('20 bytes of the peer wait here') as string,
      hint: expect.stringContaining('onMessage()') as string,
    });
  });

  it('reports for how long a peer was silent, and sends a PING again after each answer', async () => {
    const { subject } = watch({ heartbeat: { interval: 1_000, timeout: 500 } });
    for (let n = 1; n <= 3; n += 1) {
      // The answer to one PING is seen at the next check.
      await vi.advanceTimersByTimeAsync(2_000);
      expect(subject.pings).toBe(n);
    }
    subject.answersPings = false;
    await vi.advanceTimersByTimeAsync(4_000);
    expect(subject.failure).toMatchObject({
      phase: 'heartbeat',
      message: 'the peer gave no sign of life for 1500 ms',
    });
  });
});
