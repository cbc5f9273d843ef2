import type { Clock } from '../clock.js';

/** Waits so many milliseconds, or until one of the signals fires. */
export function pause(
  clock: Clock,
  ms: number,
  signals: readonly (AbortSignal | undefined)[],
): Promise<void> {
  return new Promise((resolve) => {
    const wake = () => {
      timer.cancel();
      for (const signal of signals) signal?.removeEventListener('abort', wake);
      resolve();
    };
    const timer = clock.after(ms, wake);
    timer.keepAlive(true);
    // Not AbortSignal.any: signals that live long remember each for too long, on Node 20.
    for (const signal of signals) signal?.addEventListener('abort', wake, { once: true });
  });
}
