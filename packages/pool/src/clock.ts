// Not the global of that name, whose getter runs on each access.
import { performance } from 'node:perf_hooks';
import { LONGEST_WAIT } from '@knsock/core/options';

/** A pending timer; cancelling it twice, or after it fired, does nothing. */
export interface Timer {
  /** Cancels it. */
  cancel(): void;
  /** Whether it keeps the process alive. */
  keepAlive(yes: boolean): void;
}

/** A pool's source of time; tests use one that they advance by hand. */
export interface Clock {
  /** Milliseconds of a monotonic clock. */
  now(): number;
  /** Calls back once, `ms` from now; the timer doesn't keep the process alive by default. */
  after(ms: number, callback: () => void): Timer;
}

/** The real time. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, callback) {
    const timeout = setTimeout(callback, Math.min(Math.max(ms, 0), LONGEST_WAIT)).unref();
    return {
      cancel: () => clearTimeout(timeout),
      keepAlive: (yes) => {
        if (yes) timeout.ref();
        else timeout.unref();
      },
    };
  },
};
