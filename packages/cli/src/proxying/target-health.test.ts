import { describe, expect, it } from 'vitest';
import { orderOf, TargetHealth } from './target-health.js';

describe("a target's health", () => {
  it('probes a failed target again after a second, then after twice as long, at most after half a minute', () => {
    const health = new TargetHealth(() => 1);
    const pauses = Array.from({ length: 7 }, () => {
      health.failed(0);
      return health.pause(0);
    });
    expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    expect(health.pause(10_000)).toBe(20_000);
    expect(health.pause(90_000)).toBe(0);
  });

  it('reports once that it is set aside, and once that it is back', () => {
    const health = new TargetHealth();
    expect([
      health.reached(),
      health.failed(0),
      health.failed(0),
      health.reached(),
      health.reached(),
    ]).toEqual([false, true, false, true, false]);
    expect(health.pause(0)).toBe(Number.POSITIVE_INFINITY);
  });

  it('tries those that are up in turn, and the others as a last resort', () => {
    const healths = [new TargetHealth(), new TargetHealth(), new TargetHealth()];
    expect([0, 1, 2].map((first) => orderOf(healths, first))).toEqual([
      [0, 1, 2],
      [1, 2, 0],
      [2, 0, 1],
    ]);
    healths[1]?.failed(0);
    expect(orderOf(healths, 1)).toEqual([2, 0, 1]);
  });
});
