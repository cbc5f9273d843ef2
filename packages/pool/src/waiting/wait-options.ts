import type { RequestOptions } from '@knsock/core';
import {
  abortSignal,
  callback,
  duration,
  flag,
  integerWithin,
  LONGEST_WAIT,
  withDefault,
  type OptionReaders,
} from '@knsock/core/options';

/** Options of a call that waits. */
export interface WaitOptions {
  /** Milliseconds in total, including creation; 0 takes an idle one or fails. Default `acquireTimeout`. */
  timeout?: number | undefined;
  /** Aborts the wait; the promise rejects with its reason. */
  signal?: AbortSignal | undefined;
}

/** Options of a `tryAcquire`. */
export interface TryOptions {
  /** Exempt from `leakThreshold`: for a holder that keeps it long on purpose. */
  untracked?: boolean | undefined;
}

/** Options of one acquire, with its preferences. */
export interface AcquireOptions<T> extends WaitOptions, TryOptions {
  /** Which idle resource to take if there is a choice. */
  prefer?: ((resource: T) => boolean) | undefined;
}

/** Options of a pool's `close`. */
export interface PoolCloseOptions {
  /** Milliseconds until what is in use is destroyed; 0 at once. Default 15,000. */
  deadline?: number | undefined;
}

/** How the options of a call that waits are read. */
export const waitOptions = {
  timeout: (option: string, value: number | undefined) => boundedWait(option, value, 0),
  signal: abortSignal,
} as const satisfies OptionReaders<WaitOptions>;

/** How those of a `tryAcquire` are. */
export const tryOptions = {
  untracked: flag<boolean | undefined>,
} as const satisfies OptionReaders<TryOptions>;

/** How those of an acquire are. */
export const acquireOptions = {
  ...waitOptions,
  ...tryOptions,
  prefer: callback<((resource: never) => boolean) | undefined>,
} as const satisfies OptionReaders<AcquireOptions<never>>;

/** How those of a request are. */
export const requestOptions = {
  timeout: (option: string, value: number | undefined) => boundedWait(option, value),
  signal: abortSignal,
  idempotent: flag<boolean | undefined>,
} as const satisfies OptionReaders<RequestOptions>;

/** How those of a close are, and their defaults. */
export const closeOptions = {
  deadline: withDefault<number>(integerWithin({ max: LONGEST_WAIT }), 15_000),
} as const satisfies OptionReaders<PoolCloseOptions>;

/** A wait that must end: `Infinity` is refused. The rest of a longer wait may be fractional. */
export function boundedWait<V extends number | undefined>(option: string, value: V, min = 1): V {
  return duration(option, value, { min, max: LONGEST_WAIT });
}
