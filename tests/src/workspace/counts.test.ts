import { expect, it } from 'vitest';
import { closingLine, readCounts, sum } from '../../../scripts/counts.mjs';

it('prints what it can read back', () => {
  const counts = { passed: 12, failed: 3, skipped: 4 };
  expect(readCounts(`noise\n${closingLine(counts)}\n`)).toEqual(counts);
});

it('leaves out skipped tests where there are none', () => {
  expect(closingLine({ passed: 1, failed: 0 })).toBe('1 passed, 0 failed');
});

it('reads the last closing line of several', () => {
  expect(readCounts('1 passed, 1 failed\n7 passed, 0 failed\n')).toEqual({
    passed: 7,
    failed: 0,
    skipped: 0,
  });
});

it('knows no counts where no closing line stands alone', () => {
  expect(readCounts('it said: 3 passed, 0 failed today')).toBeUndefined();
});

it('adds counts up', () => {
  expect(
    sum([
      { passed: 1, failed: 2 },
      { passed: 3, failed: 0, skipped: 1 },
    ]),
  ).toEqual({ passed: 4, failed: 2, skipped: 1 });
});
