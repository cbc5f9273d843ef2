import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { HandshakeDeadlines } from './handshake-deadlines.js';
import type { PendingConnection } from './pending-connection.js';

interface Arrival {
  since: number;
  isGivenUp: boolean;
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

interface Watched {
  readonly arrive: () => Arrival;
  readonly leave: (arrival: Arrival) => void;
  readonly late: Arrival[];
}

function watched(): Watched {
  const pending = new Set<Arrival>();
  const late: Arrival[] = [];
  const deadlines = new HandshakeDeadlines(pending as unknown as Set<PendingConnection>, 1_000, (one) => {
    late.push(one);
    pending.delete(one);
  });
  return {
    late,
    arrive() {
      const arrival = { since: performance.now(), isGivenUp: false };
      pending.add(arrival);
      deadlines.watch();
      return arrival;
    },
    leave: (arrival) => void pending.delete(arrival),
  };
}

describe('the deadlines of pending connections', () => {
  it('expire for each after its own time, by one timer', () => {
    const { arrive, late } = watched();
    const first = arrive();
    vi.advanceTimersByTime(400);
    const second = arrive();
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(599);
    expect(late).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(late).toEqual([first]);
    vi.advanceTimersByTime(399);
    expect(late).toEqual([first]);
    vi.advanceTimersByTime(1);
    expect(late).toEqual([first, second]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('expire for those that are left, where others have gone or were refused before', () => {
    const { arrive, leave, late } = watched();
    const gone = arrive();
    const givenUp = arrive();
    vi.advanceTimersByTime(300);
    const left = arrive();
    leave(gone);
    givenUp.isGivenUp = true;
    vi.advanceTimersByTime(1_300);
    expect(late).toEqual([left]);
  });

  it('are watched again for the next connection, after there was none', () => {
    const { arrive, leave, late } = watched();
    leave(arrive());
    vi.advanceTimersByTime(5_000);
    expect(vi.getTimerCount()).toBe(0);
    const next = arrive();
    vi.advanceTimersByTime(1_000);
    expect(late).toEqual([next]);
  });
});
