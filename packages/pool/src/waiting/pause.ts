import { offAbort, onAbort } from '@knsock/core/options';
import type { Clock } from '../clock.js';

/** Waits this many milliseconds, or until one of the signals fires. */
export function pause(
  clock: Clock,
  ms: number,
  signals: readonly (AbortSignal | undefined)[],
): Promise<void> {
  return new Promise((resolve) => {
    const wake = () => {
      timer.cancel();
      for (const signal of signals) offAbort(signal, wake);
      resolve();
    };
    const timer = clock.after(ms, wake);
    timer.keepAlive(true);
    // Not AbortSignal.any: on Node 20 long-lived signals keep a reference to each result for too long.
    for (const signal of signals) onAbort(signal, wake);
  });
}
