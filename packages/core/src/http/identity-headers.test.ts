import { afterEach, expect, it, vi } from 'vitest';
import { claimsIdentity } from './identity-headers.js';

afterEach(() => {
  vi.restoreAllMocks();
});

it('remembers 1,000 names of headers, and answers for any more as well', () => {
  const looked = vi.spyOn(String.prototype, 'replaceAll');
  const timesLooked = (name: string, claims: boolean): number => {
    looked.mockClear();
    expect(claimsIdentity(name)).toBe(claims);
    return looked.mock.calls.length;
  };
  for (let n = 0; n < 1_000; n += 1) expect(timesLooked(`x-invented-${n}`, false)).toBe(1);
  expect([0, 999].map((n) => timesLooked(`x-invented-${n}`, false))).toEqual([0, 0]);
  for (let round = 0; round < 2; round += 1) {
    expect(timesLooked('x-invented-1000', false)).toBe(1);
    expect(timesLooked('X_Client_Cert', true)).toBe(1);
  }
});
