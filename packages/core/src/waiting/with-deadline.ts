import { reportingController } from '../errors/reporting-signal.js';
import { offAbort, onAbort } from './on-abort.js';

/** What a deadline is set with. */
interface DeadlineClock {
  after(ms: number, callback: () => void): { cancel(): void };
}

/** A piece of work that must not take longer than allowed. */
export interface DeadlinedWork<R> {
  /** In ms, at most what `setTimeout` takes. */
  readonly ms: number;
  /** Ends the wait early, with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** The work; its signal fires when nobody waits for the result any more. */
  readonly run: (signal: AbortSignal) => R | Promise<R>;
  /** Takes what a listener of the work's signal throws, where the program has that signal. */
  readonly signalFailed?: ((error: unknown) => void) | undefined;
  /** What the wait rejects with when the time is over. */
  readonly late: () => Error;
  /** Receives a result that arrived after the deadline, to dispose of it. */
  readonly discard?: ((result: R) => void) | undefined;
  /** Sets the timer; default the system's, which doesn't keep the process alive. */
  readonly clock?: DeadlineClock | undefined;
}

/**
 * Runs the work and stops waiting for it at its deadline or at the signal, whether or not the work respects that. Where the
 * signal fired before, the work doesn't begin. Not by AbortSignal.any over AbortSignal.timeout: Node may collect either
 * before it fires (nodejs/node#57736, #65995), and then the wait has no end.
 */
export function withDeadline<R>(work: DeadlinedWork<R>): Promise<R> {
  const { ms, signal, run, signalFailed, late, discard, clock = systemClock } = work;
  return new Promise<R>((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason as Error);
      return;
    }
    const abort = signalFailed === undefined ? new AbortController() : reportingController(signalFailed);
    let open = true;
    const close = (): boolean => {
      if (!open) return false;
      open = false;
      timer.cancel();
      offAbort(signal, aborted);
      return true;
    };
    const stop = (reason: Error): void => {
      if (!close()) return;
      reject(reason);
      abort.abort(reason);
    };
    const aborted = (): void => {
      stop(signal?.reason as Error);
    };
    const timer = clock.after(ms, () => {
      stop(late());
    });
    onAbort(signal, aborted);
    const fail: (reason: Error) => void = reject;
    start(run, abort.signal).then(
      (result) => {
        if (close()) resolve(result);
        else discard?.(result);
      },
      (error: unknown) => {
        if (close()) fail(error as Error);
      },
    );
  });
}

// An async function turns a synchronous throw into a rejection.
async function start<R>(run: (signal: AbortSignal) => R | Promise<R>, signal: AbortSignal): Promise<R> {
  return run(signal);
}

const systemClock: DeadlineClock = {
  after(ms, callback) {
    const timer = setTimeout(callback, ms).unref();
    return {
      cancel: () => {
        clearTimeout(timer);
      },
    };
  },
};
