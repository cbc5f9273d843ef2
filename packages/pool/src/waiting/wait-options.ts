import type { InvalidOptionError, RequestOptions } from '@knsock/core';
import {
  abortSignal,
  callback,
  checkOptions,
  duration,
  flag,
  integer,
  LONGEST_WAIT,
  type OptionReaders,
} from '@knsock/core/options';

/** Options of a call that waits. */
export interface WaitOptions {
  /** Milliseconds in total, including creation; 0 takes an idle one or fails. Default `acquireTimeout`. */
  timeout?: number | undefined;
  /** Aborts the wait; the promise rejects with its reason. */
  signal?: AbortSignal | undefined;
}

/** Options of one acquire, with its preferences. */
export interface AcquireOptions<T> extends WaitOptions {
  /** Which idle resource to take if there is a choice. */
  prefer?: ((resource: T) => boolean) | undefined;
  /** Exempt from `leakThreshold`: for a holder that keeps it long on purpose. */
  untracked?: boolean | undefined;
}

const waits: OptionReaders<WaitOptions> = {
  timeout: (option, value) => boundedWait(option, value, 0),
  signal: abortSignal,
};
const acquires: OptionReaders<AcquireOptions<never>> = { ...waits, prefer: callback, untracked: flag };
const requests: OptionReaders<RequestOptions> = {
  timeout: boundedWait,
  signal: abortSignal,
  idempotent: flag,
};
const closes: OptionReaders<{ deadline?: number | undefined }> = {
  deadline: (option, value) => integer(option, value, { max: LONGEST_WAIT }),
};

/** The error in the options of a call that waits; undefined if they are valid. */
export function wrongWait(options: WaitOptions | undefined): InvalidOptionError | undefined {
  return options && wrong(options, waits);
}

export function wrongAcquire<T>(options: AcquireOptions<T> | undefined): InvalidOptionError | undefined {
  return options && wrong(options as AcquireOptions<never>, acquires);
}

export function wrongRequest(options: RequestOptions | undefined): InvalidOptionError | undefined {
  return options && wrong(options, requests);
}

/** @throws InvalidOptionError for an invalid option of `close` */
export function checkClose(options: { deadline?: number | undefined } | undefined): void {
  if (options !== undefined) checkOptions(options, closes);
}

function wrong<T extends object>(options: T, readers: OptionReaders<T>): InvalidOptionError | undefined {
  try {
    checkOptions(options, readers);
    return undefined;
  } catch (error) {
    return error as InvalidOptionError;
  }
}

/** A wait that must end: `Infinity` is refused. The rest of a longer wait may be fractional. */
export function boundedWait<V extends number | undefined>(option: string, value: V, min = 1): V {
  return duration(option, value, { min, max: LONGEST_WAIT });
}
