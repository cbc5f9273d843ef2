import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ClosingTimers, type ClosingEvents } from './closing-timers.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

class End implements ClosingEvents {
  isStreamed = false;
  unsent = 0;
  bytesTaken = 0;
  readonly told: string[] = [];

  hurry(): void {
    this.told.push(`hurry at ${performance.now() - began}`);
  }

  flushOnly(): void {
    this.told.push(`flush at ${performance.now() - began}`);
  }

  expired(error: Error | null): void {
    this.told.push(`${error?.message ?? 'over'} at ${performance.now() - began}`);
  }
}

let began = 0;
function made(): { end: End; timers: ClosingTimers } {
  began = performance.now();
  const end = new End();
  return { end, timers: new ClosingTimers(end) };
}

const late = (): Error => new Error('late');

describe('the drain deadline', () => {
  it('asks the program to finish after two thirds, and ends the connection', () => {
    const { end, timers } = made();
    timers.endBy(300, late, true);
    vi.advanceTimersByTime(1_000);
    expect(end.told).toEqual(['hurry at 200', 'late at 300']);
  });

  it("doesn't ask the program to finish where that isn't needed", () => {
    const { end, timers } = made();
    timers.endBy(300, late, false);
    vi.advanceTimersByTime(1_000);
    expect(end.told).toEqual(['late at 300']);
  });

  it('is never moved later', () => {
    const { end, timers } = made();
    timers.endBy(300, late, true);
    timers.endBy(900, late, true);
    timers.endBy(300, () => new Error('the second'), true);
    timers.endBy(90, late, true);
    vi.advanceTimersByTime(2_000);
    expect(end.told).toEqual(['hurry at 60', 'late at 90']);
  });
});

describe("what holds the connection after the peer's end", () => {
  it("doesn't hold for bytes that a stream or a relay has taken over since", () => {
    const { end, timers } = made();
    timers.endUnlessTaken(100, late);
    end.isStreamed = true;
    vi.advanceTimersByTime(1_000);
    expect(end.told).toEqual([]);
  });

  it('has its timeout', () => {
    const { end, timers } = made();
    end.unsent = 10;
    timers.endUnlessTaken(100, late);
    vi.advanceTimersByTime(1_000);
    expect(end.told).toEqual(['late at 100']);
  });

  it('has the same time again, only for what was sent, while the peer takes some of it', () => {
    const { end, timers } = made();
    end.unsent = 10;
    timers.endUnlessTaken(100, late);
    vi.advanceTimersByTime(50);
    end.bytesTaken = 1;
    vi.advanceTimersByTime(1_000);
    expect(end.told).toEqual(['flush at 100', 'late at 200']);
  });

  it('has no further time where nothing is left to take', () => {
    const { end, timers } = made();
    timers.endUnlessTaken(100, late);
    end.bytesTaken = 1;
    vi.advanceTimersByTime(1_000);
    expect(end.told).toEqual(['late at 100']);
  });

  it('is timed afresh where it begins again', () => {
    const { end, timers } = made();
    timers.endUnlessTaken(100, late);
    vi.advanceTimersByTime(60);
    timers.endUnlessTaken(100, late);
    vi.advanceTimersByTime(1_000);
    expect(end.told).toEqual(['late at 160']);
  });
});

describe("the peer's own end", () => {
  it('is awaited for a second, and nothing is lost without it', () => {
    const { end, timers } = made();
    timers.linger();
    vi.advanceTimersByTime(5_000);
    expect(end.told).toEqual(['over at 1000']);
  });

  it('is awaited while the peer takes what was sent before', () => {
    const { end, timers } = made();
    end.unsent = 10;
    timers.linger(100, late);
    vi.advanceTimersByTime(99);
    end.bytesTaken = 5;
    vi.advanceTimersByTime(100);
    end.bytesTaken = 9;
    vi.advanceTimersByTime(1_000);
    expect(end.told).toEqual(['late at 300']);
  });

  it('is then the only thing awaited: no other deadline applies', () => {
    const { end, timers } = made();
    timers.endBy(900, late, true);
    timers.endUnlessTaken(500, () => new Error('held'));
    timers.linger(5_000, () => null);
    timers.linger(2_000, () => null);
    vi.advanceTimersByTime(10_000);
    expect(end.told).toEqual(['late at 900', 'over at 2000']);
  });
});

it('leaves no timer once stopped', () => {
  const { end, timers } = made();
  timers.endBy(300, late, true);
  timers.endUnlessTaken(100, late);
  timers.stop();
  timers.linger(100, late);
  timers.endBy(200, late, true);
  timers.stop();
  expect(vi.getTimerCount()).toBe(0);
  vi.advanceTimersByTime(1_000);
  expect(end.told).toEqual([]);
});
