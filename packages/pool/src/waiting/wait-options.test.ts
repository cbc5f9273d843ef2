import { describe, expect, it } from 'vitest';
import { checkClose, wrongAcquire, wrongRequest, wrongWait } from './wait-options.js';

const { signal } = new AbortController();
const never = Infinity;

describe('options of a call', () => {
  it.each<[string, (options: never) => unknown, object]>([
    ['wait', wrongWait, { timeout: 0, signal }],
    ['acquire', wrongAcquire, { timeout: 0, signal, prefer: () => true, untracked: true }],
    ['request', wrongRequest, { timeout: 1, signal, idempotent: false }],
    ['close', checkClose, { deadline: 0 }],
  ])('of %s that can be are fine, as are none, and undefined ones', (_, check, options) => {
    expect(check(options as never)).toBeUndefined();
    expect(check(undefined as never)).toBeUndefined();
    const absent = Object.fromEntries(Object.keys(options).map((name) => [name, undefined]));
    expect(check(absent as never)).toBeUndefined();
  });

  it.each<[string, (options: never) => unknown, object]>([
    ['timeout', wrongWait, { timeout: never }],
    ['timeout', wrongWait, { timeout: -1 }],
    ['signal', wrongWait, { signal: {} }],
    ['prefer', wrongWait, { prefer: () => true }],
    ['timeout', wrongAcquire, { timeout: never }],
    ['signal', wrongAcquire, { signal: {} }],
    ['prefer', wrongAcquire, { prefer: 1 }],
    ['untracked', wrongAcquire, { untracked: 'yes' }],
    ['timeout', wrongRequest, { timeout: never }],
    ['timeout', wrongRequest, { timeout: 0 }],
    ['signal', wrongRequest, { signal: {} }],
    ['idempotent', wrongRequest, { idempotent: 1 }],
    ['timeuot', wrongRequest, { timeuot: 1 }],
  ])("that can't be are named: %s", (option, check, options) => {
    expect(check(options as never)).toMatchObject({ code: 'KNSOCK_INVALID_OPTION', option });
  });

  it.each([{ deadline: never }, { deadline: -1 }, { deadline: 1.5 }])('of close throw: %o', (options) => {
    expect(() => {
      checkClose(options);
    }).toThrow(expect.objectContaining({ code: 'KNSOCK_INVALID_OPTION', option: 'deadline' }) as Error);
  });
});
