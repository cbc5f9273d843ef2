import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Histogram } from './histogram.js';

it('is all zero before anything was recorded', () => {
  expect(new Histogram().snapshot()).toEqual({ count: 0, mean: 0, max: 0, p50: 0, p95: 0, p99: 0 });
});

it('reports percentiles at most an eighth too high and never too low', () => {
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

it.each([
  [0.005, 0.006],
  [0.015, 0.016],
  [0.016, 0.018],
  [0.018, 0.02],
  [1, 1.024],
  [1.024, 1.152],
  [100, 106.496],
  [1e9, 2_147_483.648],
])('reports %d ms as at most %d', (ms, edge) => {
  const histogram = new Histogram();
  for (const value of [ms, 2e9]) histogram.record(value);
  expect(histogram.snapshot().p50).toBe(edge);
});

it('reports the mean, and each percentile by its own share', () => {
  const histogram = new Histogram();
  for (let n = 0; n < 94; n += 1) histogram.record(1);
  for (let n = 0; n < 5; n += 1) histogram.record(10);
  histogram.record(100);
  const { mean, max, p50, p95, p99 } = histogram.snapshot();
  expect([mean, max, p50, p95, p99]).toEqual([2.44, 100, 1.024, 10.24, 10.24]);
  histogram.record(100);
  expect(histogram.snapshot().p99).toBe(100);
});
