import { expect, it } from 'vitest';
import { spanInWords } from './span-in-words.js';

const hour = 3_600_000;

it.each([
  [0, '0 seconds'],
  [1_999, '1 second'],
  [59_999, '59 seconds'],
  [60_000, '1 minute'],
  [hour - 1, '59 minutes'],
  [hour, '1 hour'],
  [47.9 * hour, '47 hours'],
  [48 * hour, '2 days'],
  [24_000 * hour, '1,000 days'],
])('says %d ms as %s', (ms, words) => {
  expect(spanInWords(ms)).toBe(words);
});
