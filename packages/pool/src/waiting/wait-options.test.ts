import { describe, expect, it } from 'vitest';
import { wrongOptions } from '@knsock/core/options';
import { acquireOptions, closeOptions, requestOptions, waitOptions } from './wait-options.js';

const { signal } = new AbortController();
const never = Infinity;

describe('options of a call', () => {
  it.each<[string, object, object]>([
    ['wait', waitOptions, { timeout: 0, signal }],
    ['acquire', acquireOptions, { timeout: 0, signal, prefer: () => true, untracked: true }],
    ['request', requestOptions, { timeout: 1, signal, idempotent: false }],
    ['close', closeOptions, { deadline: 0 }],
  ])('of %s that can be are fine, as are none, and undefined ones', (_, check, options) => {
    expect(wrongOptions(options, check as never)).toBeUndefined();
    expect(wrongOptions(undefined, check as never)).toBeUndefined();
    const absent = Object.fromEntries(Object.keys(options).map((name) => [name, undefined]));
    expect(wrongOptions(absent, check as never)).toBeUndefined();
  });

  it.each<[string, object, object]>([
    ['timeout', waitOptions, { timeout: never }],
    ['timeout', waitOptions, { timeout: -1 }],
    ['signal', waitOptions, { signal: {} }],
    ['prefer', waitOptions, { prefer: () => true }],
    ['timeout', acquireOptions, { timeout: never }],
    ['signal', acquireOptions, { signal: {} }],
    ['prefer', acquireOptions, { prefer: 1 }],
    ['untracked', acquireOptions, { untracked: 'yes' }],
    ['timeout', requestOptions, { timeout: never }],
    ['timeout', requestOptions, { timeout: 0 }],
    ['signal', requestOptions, { signal: {} }],
    ['idempotent', requestOptions, { idempotent: 1 }],
    ['timeuot', requestOptions, { timeuot: 1 }],
  ])("that can't be are named: %s", (option, check, options) => {
    expect(wrongOptions(options, check as never)).toMatchObject({ code: 'KNSOCK_INVALID_OPTION', option });
  });

  it.each([{ deadline: never }, { deadline: -1 }, { deadline: 1.5 }])(
    "of close that can't be: %o",
    (options) => {
      expect(wrongOptions(options, closeOptions as never)).toMatchObject({
        code: 'KNSOCK_INVALID_OPTION',
        option: 'deadline',
      });
    },
  );
});
