import fc from 'fast-check';
import { expect, it } from 'vitest';
import { boundedRetryAfter, retryAfterMs } from './retry-after.js';

const now = new Date('2030-01-01T00:00:00Z');

it('reads seconds and dates, and nothing else', () => {
  expect(retryAfterMs('120', now)).toBe(120_000);
  expect(retryAfterMs('Tue, 01 Jan 2030 00:02:00 GMT', now)).toBe(120_000);
  expect(retryAfterMs('Mon, 31 Dec 2029 23:00:00 GMT', now)).toBe(0);
  for (const text of [undefined, '', 'soon', '1e99', 'NaN']) expect(retryAfterMs(text, now)).toBeUndefined();
});

it('stays within its bounds, whatever the header is', () => {
  const bounds = { least: 10, most: 1_000, otherwise: 500 };
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.integer().map(String), fc.date({ noInvalidDate: true }).map(String)),
      (text) => {
        const ms = boundedRetryAfter(text, now, bounds);
        expect(ms).toBeGreaterThanOrEqual(10);
        expect(ms).toBeLessThanOrEqual(1_000);
      },
    ),
  );
});
