import { describe, expect, it } from 'vitest';
import { wrongOptions } from '../options/index.js';
import { closeOptions, requestOptions, sendOptions } from './call-options.js';

describe('the options of a request', () => {
  it.each([
    [undefined],
    [{}],
    [{ timeout: undefined, signal: undefined }],
    [{ timeout: 0, signal: new AbortController().signal, idempotent: true }],
    [{ timeout: 2 ** 31 - 1 }],
    [{ timeout: 0.5 }],
  ])('may be %o', (options) => {
    expect(wrongOptions(options, requestOptions)).toBeUndefined();
  });

  it.each<[string, unknown, RegExp]>([
    ['timeOut', { timeOut: 5 }, /did you mean timeout\?/],
    ['deadline', { deadline: 5 }, /did you mean timeout\?/],
    ['timeout', { timeout: -1 }, /timeout must be a number of ms, from 0 to 2147483647, not -1/],
    ['timeout', { timeout: Number.NaN }, /NaN/],
    ['timeout', { timeout: '5' }, /not '5'/],
    ['signal', { signal: new AbortController() }, /AbortSignal, not its controller/],
    ['signal', { signal: null }, /AbortSignal, not null/],
    ['idempotent', { idempotent: 1 }, /true or false, not 1/],
    ['options', 5, /object/],
    ['options', null, /null/],
    ['options', [], /object/],
  ])("can't have %s in %o", (option, options, message) => {
    expect(wrongOptions(options as object, requestOptions)).toMatchObject({
      code: 'KNSOCK_INVALID_OPTION',
      option,
      message: expect.stringMatching(message) as string,
    });
  });
});

it('names what is meant of another call', () => {
  expect(wrongOptions<object>({ timeout: 5 }, closeOptions)?.message).toContain('did you mean deadline?');
  expect(wrongOptions<object>({ timeout: 5 }, sendOptions)?.option).toBe('timeout');
});
