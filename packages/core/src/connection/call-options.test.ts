import { expect, it } from 'vitest';
import { checkCall } from './call-options.js';

const known = ['timeout', 'signal', 'idempotent'] as const;

it.each<[Record<string, unknown> | undefined]>([
  [undefined],
  [{}],
  [{ timeout: undefined, signal: undefined }],
  [{ timeout: 0, signal: new AbortController().signal, idempotent: true }],
  [{ timeout: 2 ** 31 - 1 }],
])('accepts %o', (options) => {
  expect(checkCall(options, known)).toBeUndefined();
});

it.each<[string, unknown, RegExp]>([
  ['timeOut', { timeOut: 5 }, /did you mean timeout\?/],
  ['deadline', { deadline: 5 }, /no option deadline here; there are timeout, signal, idempotent/],
  ['timeout', { timeout: -1 }, /from 0 to/],
  ['timeout', { timeout: Number.NaN }, /NaN/],
  ['timeout', { timeout: '5' }, /milliseconds/],
  ['signal', { signal: new AbortController() }, /AbortSignal/],
  ['signal', { signal: null }, /AbortSignal/],
  ['idempotent', { idempotent: 1 }, /true or false/],
  ['options', 5, /object/],
  ['options', null, /null/],
  ['options', [], /object/],
])('refuses %s in %o', (option, options, message) => {
  expect(checkCall(options as never, known)).toMatchObject({
    code: 'KNSOCK_INVALID_OPTION',
    option,
    message: expect.stringMatching(message) as string,
  });
});
