/** Requests held back here because the peer works on as many as it takes; not a byte of them was sent. */
import { ConnectionTimeoutError, RequestNotStartedError } from '../errors/index.js';

interface Held<In> {
  readonly payload: Uint8Array;
  readonly signal: AbortSignal | undefined;
  /** What is left of the request's own time, in milliseconds; at least 1. */
  readonly timeLeft: number;
  /** Ties the caller's promise to the request now sent. */
  start(answer: Promise<In>): void;
  fail(error: Error): void;
}

export class RequestQueue<In> {
  readonly #maxBytes: number;
  readonly #held = new Set<Held<In>>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get length(): number {
    return this.#held.size;
  }

  add(payload: Uint8Array, timeout: number, signal: AbortSignal | undefined): Promise<In> {
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    if (this.#bytes + payload.length > this.#maxBytes && this.#held.size > 0) {
      return Promise.reject(
        new RequestNotStartedError(
          `${this.#held.size} requests (${this.#bytes} bytes) wait for the peer already`,
        ),
      );
    }
    return new Promise<In>((resolve, reject) => {
      this.#hold(payload, timeout, signal, resolve, reject);
    });
  }

  next(): Held<In> | undefined {
    for (const held of this.#held) return held;
    return undefined;
  }

  failAll(error: () => Error): void {
    for (const held of [...this.#held]) held.fail(error());
  }

  #hold(
    payload: Uint8Array,
    timeout: number,
    signal: AbortSignal | undefined,
    resolve: (answer: Promise<In>) => void,
    reject: (error: Error) => void,
  ): void {
    const deadline = performance.now() + timeout;
    const leave = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', aborted);
      if (this.#held.delete(held)) this.#bytes -= payload.length;
    };
    const held: Held<In> = {
      payload,
      signal,
      get timeLeft() {
        return Math.max(1, Math.ceil(deadline - performance.now()));
      },
      start: (answer) => {
        leave();
        resolve(answer);
      },
      fail: (error) => {
        leave();
        reject(error);
      },
    };
    const aborted = (): void => {
      held.fail(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      const message = `the request waited ${timeout} ms for others before it and was never sent`;
      held.fail(
        new RequestNotStartedError(message, {
          cause: new ConnectionTimeoutError('request', timeout, message),
        }),
      );
    }, timeout);
    timer.unref();
    signal?.addEventListener('abort', aborted, { once: true });
    this.#held.add(held);
    this.#bytes += payload.length;
  }
}
