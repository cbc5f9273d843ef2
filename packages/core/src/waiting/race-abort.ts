import { offAbort, onAbort } from './on-abort.js';

/** A promise's result, or the signal's reason, whichever comes first; what loses is left to end by itself. */
export function raceAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) {
    work.catch(() => undefined);
    return Promise.reject(signal.reason as Error);
  }
  return new Promise((resolve, reject) => {
    const aborted = (): void => {
      reject(signal.reason as Error);
    };
    onAbort(signal, aborted);
    work.then(resolve, reject).finally(() => {
      offAbort(signal, aborted);
    });
  });
}
