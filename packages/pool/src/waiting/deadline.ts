import { reportingController } from '@knsock/core/options';
import type { Clock } from '../clock.js';

/** A piece of work that must not take longer than allowed; milliseconds. */
export interface Bounded<R> {
  readonly ms: number;
  /** Ends the work early, with the signal’s reason. */
  readonly signal?: AbortSignal | undefined;
  /** The work; its signal fires when nobody waits for the result any more. */
  readonly run: (signal: AbortSignal) => R | Promise<R>;
  /** Takes what a listener of the work’s signal throws, where the program has that signal. */
  readonly signalFailed?: ((error: unknown) => void) | undefined;
  /** What the wait rejects with when the time is over. */
  readonly late: () => Error;
  /** Takes a result that came after all, to get rid of it. */
  readonly discard?: ((result: R) => void) | undefined;
}

/** Runs the work and stops waiting for it at its deadline or at the signal, whether or not the work heeds that. */
export function bounded<R>(
  clock: Clock,
  { ms, signal, run, signalFailed, late, discard }: Bounded<R>,
): Promise<R> {
  return new Promise<R>((resolve, reject) => {
    const abort = signalFailed === undefined ? new AbortController() : reportingController(signalFailed);
    const fail: (reason: Error) => void = reject;
    let open = true;
    const stop = (reason: Error) => {
      if (!close()) return;
      reject(reason);
      abort.abort(reason);
    };
    const timer = clock.after(ms, () => stop(late()));
    const onAbort = () => stop(signal?.reason as Error);
    const close = () => {
      if (!open) return false;
      open = false;
      timer.cancel();
      signal?.removeEventListener('abort', onAbort);
      return true;
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    void start(run, abort.signal).then(
      (result) => (close() ? resolve(result) : discard?.(result)),
      (error: unknown) => {
        if (close()) fail(error as Error);
      },
    );
    if (signal?.aborted) onAbort();
  });
}

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

// An async function turns a synchronous throw into a rejection.
async function start<R>(run: (signal: AbortSignal) => R | Promise<R>, signal: AbortSignal): Promise<R> {
  return run(signal);
}
