/** Calls of `send` that may have to wait. A caller that awaits one holds only that message, so it may wait beyond the bound too. */
import { asError } from '../errors/as-error.js';
import { PendingCall } from '../errors/call-promise.js';
import { offAbort, onAbort } from '../waiting/on-abort.js';
import type { SendQueue } from './send-queue.js';

/** Takes the failures of calls that nobody awaits. */
interface SendFailures {
  unawaited(error: Error, call: string): void;
}

export class LateSends {
  readonly #queue: SendQueue;
  readonly #mostOverBound: number;
  readonly #failures: SendFailures;
  #overBound = 0;

  /** @param mostOverBound how many calls may wait beyond the bound of the queue */
  constructor(queue: SendQueue, mostOverBound: number, failures: SendFailures) {
    this.#queue = queue;
    this.#mostOverBound = mostOverBound;
    this.#failures = failures;
  }

  send(bytes: Uint8Array, signal: AbortSignal | undefined): Promise<void> {
    const call = new PendingCall<undefined>((error) => {
      if (error !== signal?.reason) this.#failures.unawaited(error, 'a send');
    });
    const queue = this.#queue;
    const isOver = !queue.hasRoomFor(bytes.length);
    if (isOver && this.#overBound >= this.#mostOverBound) {
      call.reject(queue.fullError(bytes.length, this.#mostOverBound));
      return call.promise;
    }
    if (isOver) this.#overBound += 1;
    const settle = (error: Error | null): void => {
      if (isOver) this.#overBound -= 1;
      offAbort(signal, aborted);
      if (error === null) call.resolve(undefined);
      else call.reject(error);
    };
    const aborted = (): void => {
      giveUp(asError(signal?.reason));
    };
    const giveUp = (error: Error): void => {
      if (queue.takeBack(waiting)) settle(error);
    };
    const waiting = queue.send(bytes, settle);
    if (waiting === null) {
      settle(null);
      return call.promise;
    }
    onAbort(signal, aborted);
    if (isOver) {
      setImmediate(() => {
        if (!call.promise.isAwaited) giveUp(queue.fullError(bytes.length));
      });
    }
    return call.promise;
  }
}
