import { expect, it } from 'vitest';
import { progressText } from './progress.js';

it.each([
  [0, null, 500, '0 B sent, 0 B/s'],
  [1_536, null, 1_000, '1.5 KiB sent, 1.5 KiB/s'],
  [0, 1_024, 500, '[........................] 0%, 0 B of 1.0 KiB, 0 B/s'],
  [
    512 * 1_024,
    1_024 * 1_024,
    1_000,
    '[############............] 50%, 512.0 KiB of 1.0 MiB, 512.0 KiB/s, 1 s left',
  ],
  [10, 10, 1_000, '[########################] 100%, 10 B of 10 B, 10 B/s, 0 s left'],
  [20, 10, 1_000, '[########################] 100%, 20 B of 10 B, 20 B/s, 0 s left'],
])('%d of %s bytes after %d ms', (sent, total, ms, text) => {
  expect(progressText(sent, total, ms)).toBe(text);
});
