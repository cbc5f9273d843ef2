import { expect, it } from 'vitest';
import { backOffDelay } from './back-off.js';

const backOff = { first: 100, longest: 1_000 };

it('waits double with each failure, to the longest', () => {
  const waits = [1, 2, 3, 4, 5, 50].map((failures) => backOffDelay(backOff, failures, () => 1));
  expect(waits).toEqual([100, 200, 400, 800, 1_000, 1_000]);
});

it('a random half of a wait is left out', () => {
  expect([0, 0.5, 1].map((lot) => backOffDelay(backOff, 1, () => lot))).toEqual([50, 75, 100]);
});
