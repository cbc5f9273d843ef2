import { offAbort, onAbort } from '@knsock/core/options';
import type { Clock, Timer } from '../clock.js';

/** The abort reason of attempts that lost a race. */
export class Overtaken extends Error {
  /** Whether the winner had started later. */
  readonly slow: boolean;

  constructor(slow: boolean) {
    super('another attempt was faster');
    this.slow = slow;
  }
}

/** Options of a race; `delay` is milliseconds. */
export interface Race<R> {
  readonly starts: readonly ((signal: AbortSignal) => Promise<R>)[];
  /** The next attempt starts this long after the last one started, or at once when that fails. */
  readonly delay: number;
  readonly signal: AbortSignal;
  /** Receives the result of a loser. */
  readonly discard: (result: R) => void;
}

/** Runs attempts one after another, overlapping if one takes long; the first to succeed wins and aborts the others. */
export function stagger<R>(clock: Clock, { starts, delay, signal, discard }: Race<R>): Promise<R> {
  return new Promise<R>((resolve, reject) => {
    const running = new Map<number, AbortController>();
    let next = 0;
    let timer: Timer | undefined;
    let over = false;

    const finish = (reasonFor: (index: number) => unknown) => {
      over = true;
      timer?.cancel();
      offAbort(signal, aborted);
      for (const [index, abort] of running) abort.abort(reasonFor(index));
    };
    const aborted = () => {
      finish(() => signal.reason);
      reject(signal.reason as Error);
    };
    const won = (index: number, result: R) => {
      running.delete(index);
      if (over) {
        discard(result);
        return;
      }
      finish((other) => new Overtaken(other < index));
      resolve(result);
    };
    const lost = (index: number, error: Error) => {
      running.delete(index);
      if (over) return;
      if (next < starts.length) {
        startNext();
      } else if (running.size === 0) {
        finish(() => undefined);
        reject(error);
      }
    };
    const startNext = () => {
      timer?.cancel();
      const index = next;
      const start = starts[index];
      if (start === undefined) return;
      next += 1;
      const abort = new AbortController();
      running.set(index, abort);
      if (next < starts.length) timer = clock.after(delay, startNext);
      start(abort.signal).then(
        (result) => {
          won(index, result);
        },
        (error: unknown) => {
          lost(index, error as Error);
        },
      );
    };

    onAbort(signal, aborted);
    if (signal.aborted) aborted();
    else startNext();
  });
}
