import { expect, it } from 'vitest';
import { nextLook } from './next-look.js';

const now = Date.now();
const certain = (): number => 0;
const pause = (answers: (number | undefined)[] = [], dueIn: number[] = [], interval = 300_000): number =>
  nextLook(
    interval,
    answers.map((freshFor) => ({ freshFor })),
    dueIn.map((left) => ({ nextUpdate: new Date(now + left) })),
    now,
    certain,
  );

it('is the interval by default', () => {
  expect(pause()).toBe(300_000);
  expect(pause([undefined], [600_000])).toBe(300_000);
});

it('is as short as the shortest cache lifetime, and never longer than the interval', () => {
  expect(pause([5_000, 60_000])).toBe(5_000);
  expect(pause([3_600_000])).toBe(300_000);
});

it('is at least a second, whatever a header or a list says, unless the interval itself is shorter', () => {
  expect(pause([0])).toBe(1_000);
  expect(pause([], [10])).toBe(1_000);
  expect(pause([0], [], 200)).toBe(200);
});

it("fetches before a list's next update, and no more often once that has passed", () => {
  expect(pause([], [40_000])).toBe(40_000);
  expect(pause([], [-40_000])).toBe(300_000);
});

it('is up to a tenth shorter, at random', () => {
  expect(nextLook(1_000, [], [], now, () => 1)).toBe(900);
});
