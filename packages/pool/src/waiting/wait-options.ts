import { duration, LONGEST_WAIT } from '@knsock/core/options';

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

/** A wait that must end: `Infinity` is refused. What is left of a longer one needn't be whole. */
export function boundedWait<V extends number | undefined>(option: string, value: V, min = 1): V {
  return duration(option, value, { min, max: LONGEST_WAIT });
}
