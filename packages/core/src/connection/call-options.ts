/** The options of single calls, read by tables like those of constructors; a call without options costs nothing. */
import { InvalidOptionError } from '../errors/index.js';
import { abortSignal, duration, flag, LONGEST_WAIT, string, type OptionReaders } from '../options/index.js';
import { show } from '../options/readers.js';
import { closeDeadline } from '../policy/limits.js';
import { readCloseCode } from './close-frame.js';
import type { CloseOptions, RequestOptions } from './connection-types.js';
import type { LendOptions } from './lending.js';

/** The options of `receive` and `ping`. */
export interface WaitOptions {
  signal?: AbortSignal | undefined;
  timeout?: number | undefined;
}

/** The options of `send`. */
export type SendOptions = Pick<WaitOptions, 'signal'>;

export const sendOptions = { signal: abortSignal } as const satisfies OptionReaders<SendOptions>;

export const waitOptions = {
  timeout: (option: string, value: number | undefined) =>
    duration(option, value, { min: 0, max: LONGEST_WAIT }),
  signal: abortSignal,
} as const satisfies OptionReaders<WaitOptions>;

export const requestOptions = {
  ...waitOptions,
  idempotent: flag<boolean | undefined>,
} as const satisfies OptionReaders<RequestOptions>;

export const closeOptions = {
  deadline: closeDeadline,
  code: readCloseCode,
  text: string<string | undefined>,
} as const satisfies OptionReaders<CloseOptions>;

export const lendOptions = {
  lend: flag<boolean | undefined>,
  poison: flag<boolean | undefined>,
} as const satisfies OptionReaders<LendOptions>;

/** @throws InvalidOptionError */
export function demandFunction(what: string, value: unknown): void {
  if (typeof value === 'function') return;
  throw new InvalidOptionError(what, `the ${what} must be a function, not ${show(value)}`);
}
