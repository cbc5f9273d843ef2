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

/** How one call waits. */
export interface WaitOptions {
  /** Milliseconds for everything together, creating included; 0 takes what is idle or fails. Default `acquireTimeout`. */
  timeout?: number | undefined;
  /** Gives up; the promise rejects with its reason. */
  signal?: AbortSignal | undefined;
}

/** How one acquire waits, and what it would like. */
export interface AcquireOptions<T> extends WaitOptions {
  /** Which idle resource is taken where there is a choice. */
  prefer?: ((resource: T) => boolean) | undefined;
  /** Not to be held against `leakThreshold`: for a holder who keeps it long on purpose. */
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

/** What is wrong with the options of a call that waits; undefined where nothing is. */
export function wrongWait(options: WaitOptions | undefined): InvalidOptionError | undefined {
  return options && wrong(options, waits);
}

export function wrongAcquire<T>(options: AcquireOptions<T> | undefined): InvalidOptionError | undefined {
  return options && wrong(options as AcquireOptions<never>, acquires);
}

export function wrongRequest(options: RequestOptions | undefined): InvalidOptionError | undefined {
  return options && wrong(options, requests);
}

/** @throws InvalidOptionError for an option of `close` that can’t be */
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

/** A wait that must end: `Infinity` is refused. What is left of a longer one needn't be whole. */
export function boundedWait<V extends number | undefined>(option: string, value: V, min = 1): V {
  return duration(option, value, { min, max: LONGEST_WAIT });
}
