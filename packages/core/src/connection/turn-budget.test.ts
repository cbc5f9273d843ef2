import { describe, expect, it, vi } from 'vitest';
import { TurnBudget } from './turn-budget.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A budget whose clock moves by `cost` milliseconds a message, and how many messages one turn lets pass. */
function budget() {
  let time = 0;
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => time);
  let wentOn = 0;
  const subject = new TurnBudget({ goOn: () => (wentOn += 1) });
  return {
    subject,
    restore: () => {
      clock.mockRestore();
    },
    get wentOn() {
      return wentOn;
    },
    /** Until the budget is spent, or `most` have passed. */
    pass(cost: number, most = 10_000): number {
      for (let passed = 0; passed < most; passed += 1) {
        if (subject.isSpent()) return passed;
        time += cost;
      }
      return most;
    },
  };
}

describe("a turn's work", () => {
  it('is unlimited while it is cheap', async () => {
    const work = budget();
    expect(work.pass(0)).toBe(10_000);
    await turn();
    expect(work.wentOn).toBe(0);
    work.restore();
  });

  it('ends after five milliseconds, and continues with the next turn', async () => {
    const work = budget();
    // The clock is read for every 16th message, first for the 16th.
    const first = work.pass(1);
    expect(first).toBe(31);
    expect(work.subject.isSpent()).toBe(true);
    await turn();
    expect(work.wentOn).toBe(1);
    work.restore();
  });

  it('is one millisecond in the turns after that, until one ends early', async () => {
    const work = budget();
    expect(work.pass(0.2)).toBe(47);
    await turn();
    expect(work.pass(0.1)).toBe(31);
    await turn();
    expect(work.pass(0.001, 20)).toBe(20);
    await turn();
    expect(work.wentOn).toBe(2);
    expect(work.pass(0.1, 40)).toBe(40);
    work.restore();
  });

  it('is counted afresh for each chunk, unless it is timed already', () => {
    const work = budget();
    for (let chunk = 0; chunk < 50; chunk += 1) {
      work.subject.begin();
      expect(work.pass(10, 15)).toBe(15);
    }
    work.subject.begin();
    work.pass(1, 16);
    work.subject.begin();
    expect(work.pass(1)).toBeLessThanOrEqual(16);
    work.restore();
  });
});
