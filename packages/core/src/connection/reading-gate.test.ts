import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { memoryPair } from '../transport/memory-pair.js';
import { ReadingGate } from './reading-gate.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const MEBIBYTE = 1_048_576;

function gate(maxQueuedBytes: number | null) {
  const events = {
    heldBytes: 0,
    isInputFull: false,
    readsAnyway: false,
    signs: 0,
    starvedBy: [] as number[],
    signOfLife() {
      this.signs += 1;
    },
    starved(heldBytes: number) {
      this.starvedBy.push(heldBytes);
    },
  };
  return { events, subject: new ReadingGate(memoryPair()[0], events, maxQueuedBytes) };
}

describe('ReadingGate', () => {
  it.each([
    [null, 65_536],
    [65_536, 65_536 + MEBIBYTE],
    [4 * MEBIBYTE, 8 * MEBIBYTE],
  ])('with maxQueuedBytes %s holds reading above %s bytes', (maxQueuedBytes, most) => {
    const { events, subject } = gate(maxQueuedBytes);
    events.heldBytes = most;
    subject.holdIfFull();
    expect(subject.isHeld).toBe(false);
    events.heldBytes = most + 1;
    subject.holdIfFull();
    expect(subject.isHeld).toBe(true);
    subject.resume();
    expect(subject.isHeld).toBe(true);
    events.heldBytes = most;
    subject.resume();
    expect(subject.isHeld).toBe(false);
  });

  it('sends a sign of life while it reads nothing, where there is a frame for it, and reports it once', () => {
    const { events, subject } = gate(65_536);
    events.heldBytes = 2 * MEBIBYTE;
    subject.holdIfFull();
    vi.advanceTimersByTime(3_000);
    expect(events.signs).toBe(12);
    expect(events.starvedBy).toEqual([2 * MEBIBYTE]);
    events.heldBytes = 0;
    subject.resume();
    vi.advanceTimersByTime(3_000);
    expect(events.signs).toBe(12);
  });

  it("sends nothing where it is the peer that doesn't read", () => {
    const { events, subject } = gate(65_536);
    events.isInputFull = true;
    subject.holdIfFull();
    vi.advanceTimersByTime(3_000);
    expect([subject.isHeld, events.signs]).toEqual([true, 0]);
  });

  it('always reads on once this side has ended', () => {
    const { events, subject } = gate(null);
    events.heldBytes = MEBIBYTE;
    subject.holdIfFull();
    events.readsAnyway = true;
    subject.resume();
    expect(subject.isHeld).toBe(false);
  });
});
