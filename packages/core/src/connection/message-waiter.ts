/** A caller that waits for the next message: it gets that, the end, its signal's reason, or its own timeout. */
import { CallPromise, rejectCall } from '../errors/call-promise.js';
import { ConnectionTimeoutError } from '../errors/index.js';
import { offAbort, onAbort } from '../waiting/on-abort.js';
import type { CallFailures } from './call-failures.js';

export class MessageWaiter<In> {
  readonly promise: CallPromise<In | null>;
  readonly #signal: AbortSignal | undefined;
  readonly #left: (waiter: MessageWaiter<In>) => void;
  readonly #timer: NodeJS.Timeout | undefined;
  #resolve!: (message: In | null) => void;
  #reject!: (error: Error) => void;

  /** @param left called once it waits no longer, whatever the reason */
  constructor(
    signal: AbortSignal | undefined,
    timeout: number | undefined,
    failures: CallFailures,
    left: (waiter: MessageWaiter<In>) => void,
  ) {
    this.#signal = signal;
    this.#left = left;
    this.promise = new CallPromise<In | null>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = (error) => {
        rejectCall(this.promise, reject, error, (unheard) => {
          if (unheard !== signal?.reason) failures.unawaited(unheard, 'a receive');
        });
      };
    });
    onAbort(signal, this.#aborted);
    if (timeout === undefined) return;
    this.#timer = setTimeout(() => {
      const words = `no message came within ${timeout} ms`;
      this.#fail(failures.named(new ConnectionTimeoutError('receive', timeout, words)));
    }, timeout);
  }

  settle(message: In): void {
    this.#leave();
    this.#resolve(message);
  }

  /** The stream of messages is over. */
  end(error: Error | undefined): void {
    if (error !== undefined) {
      this.#fail(error);
      return;
    }
    this.#leave();
    this.#resolve(null);
  }

  readonly #aborted = (): void => {
    this.#fail(this.#signal?.reason as Error);
  };

  #fail(error: Error): void {
    this.#leave();
    this.#reject(error);
  }

  #leave(): void {
    clearTimeout(this.#timer);
    offAbort(this.#signal, this.#aborted);
    this.#left(this);
  }
}
