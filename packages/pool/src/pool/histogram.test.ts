import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Histogram } from './histogram.js';

test('is all zero before anything was recorded', () => {
  expect(new Histogram().snapshot()).toEqual({ count: 0, mean: 0, max: 0, p50: 0, p95: 0, p99: 0 });
});

test('tells percentiles at most an eighth too high and never too low', () => {
  const times = fc.array(fc.double({ min: 0.02, max: 100_000, noNaN: true }), {
    minLength: 1,
    maxLength: 200,
  });
  fc.assert(
    fc.property(times, (values) => {
      const histogram = new Histogram();
      for (const value of values) histogram.record(value);
      const sorted = values.toSorted((a, b) => a - b);
      const { count, max, p50, p99 } = histogram.snapshot();
      expect([count, max]).toEqual([values.length, sorted.at(-1)]);
      for (const [share, told] of [
        [0.5, p50],
        [0.99, p99],
      ] as const) {
        const exact = sorted[Math.ceil(sorted.length * share) - 1] ?? 0;
        expect(told).toBeGreaterThanOrEqual(Math.floor(exact * 1_000) / 1_000);
        expect(told).toBeLessThanOrEqual(exact * 1.126 + 0.001);
      }
    }),
  );
});
