// Not the global of that name, which is looked up by a getter each time.
import { performance } from 'node:perf_hooks';
import { LONGEST_WAIT } from '@knsock/core/options';

/** A timer that was set; cancelling it twice, or after it fired, does nothing. */
export interface Timer {
  /** It doesn’t fire any more. */
  cancel(): void;
  /** Whether the process must stay alive for it. */
  keepAlive(yes: boolean): void;
}

/** Where a pool takes its time from; tests give one that they move by hand. */
export interface Clock {
  /** Milliseconds on a scale that only grows. */
  now(): number;
  /** Calls back once, `ms` from now; the timer doesn’t keep the process alive by default. */
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
