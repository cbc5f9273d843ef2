import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { HandshakeDeadlines } from './handshake-deadlines.js';
import type { PendingConnection } from './pending-connection.js';

interface Arrival {
  since: number;
  isGivenUp: boolean;
  socket: { bytesRead: number };
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
      const arrival = { since: performance.now(), isGivenUp: false, socket: { bytesRead: 0 } };
      pending.add(arrival);
      deadlines.watch();
      return arrival;
    },
    leave: (arrival) => void pending.delete(arrival),
  };
}

/** Time passes, and the turn of the event loop in which a timer fired ends. */
function pass(milliseconds: number): Promise<void> {
  vi.advanceTimersByTime(milliseconds);
  return new Promise((resolve) => setImmediate(resolve));
}

describe('the deadlines of pending connections', () => {
  it('expire for each after its own time, by one timer', async () => {
    const { arrive, late } = watched();
    const first = arrive();
    await pass(400);
    const second = arrive();
    expect(vi.getTimerCount()).toBe(1);
    await pass(599);
    expect(late).toEqual([]);
    await pass(1);
    expect(late).toEqual([first]);
    await pass(399);
    expect(late).toEqual([first]);
    await pass(1);
    expect(late).toEqual([first, second]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('expire for those that are left, where others have gone or were refused before', async () => {
    const { arrive, leave, late } = watched();
    const gone = arrive();
    const givenUp = arrive();
    await pass(300);
    const left = arrive();
    leave(gone);
    givenUp.isGivenUp = true;
    await pass(1_000);
    await pass(300);
    expect(late).toEqual([left]);
  });

  it('are watched again for the next connection, after there was none', async () => {
    const { arrive, leave, late } = watched();
    leave(arrive());
    await pass(5_000);
    expect(vi.getTimerCount()).toBe(0);
    const next = arrive();
    await pass(1_000);
    expect(late).toEqual([next]);
  });

  it('pass over a peer whose bytes this process reads too late, for as long again at most', async () => {
    const { arrive, late } = watched();
    const [slow, silent] = [arrive(), arrive()];
    await pass(999);
    // From its deadline on, each turn of the event loop reads something of the one, and nothing of the other.
    const turn = (): Promise<void> => {
      const turned = pass(1);
      slow.socket.bytesRead += 1;
      return turned;
    };
    while (performance.now() - slow.since < 1_999) await turn();
    expect(late).toEqual([silent]);
    await turn();
    expect(late).toEqual([silent, slow]);
    expect(vi.getTimerCount()).toBe(0);
  });
});
