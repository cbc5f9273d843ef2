/** A request of which no byte was sent; aborting it costs nothing. */
import { ConnectionTimeoutError, RequestNotStartedError } from '../errors/index.js';
import { PendingCall } from '../errors/call-promise.js';
import { offAbort, onAbort } from '../waiting/on-abort.js';
import type { CallFailures } from './call-failures.js';
import type { Waiting } from './send-queue.js';

/** What a held request does, and where it reports. */
export interface HeldEvents<In> {
  /** Writes the request. */
  send(): Promise<In>;
  /** The request was aborted unsent. */
  left(): void;
  /** What it waits for, as a part of a sentence. */
  waitsFor(): string;
  readonly failures: CallFailures;
}

export class HeldRequest<In> implements Waiting {
  readonly bytes: number;
  readonly #events: HeldEvents<In>;
  readonly #deadline: number;
  readonly #timer: NodeJS.Timeout;
  readonly #signal: AbortSignal | undefined;
  readonly #aborted: () => void;
  readonly #call: PendingCall<In>;

  constructor(payload: Uint8Array, timeout: number, signal: AbortSignal | undefined, events: HeldEvents<In>) {
    this.bytes = payload.length;
    this.#events = events;
    this.#signal = signal;
    this.#deadline = performance.now() + timeout;
    this.#call = new PendingCall<In>((error) => {
      if (error !== signal?.reason) events.failures.unawaited(error, 'a request');
    });
    this.#aborted = () => {
      this.failed(signal?.reason as Error);
    };
    this.#timer = setTimeout(() => {
      const message = `the request waited ${timeout} ms ${events.waitsFor()} and was never sent`;
      const cause = events.failures.named(new ConnectionTimeoutError('request', timeout, message));
      this.failed(events.failures.named(new RequestNotStartedError(message, { cause })));
    }, timeout).unref();
    onAbort(signal, this.#aborted);
  }

  get answer(): Promise<In> {
    return this.#call.promise;
  }

  /** What is left of the request's own timeout, in milliseconds; at least 1. */
  get timeLeft(): number {
    return Math.max(1, Math.ceil(this.#deadline - performance.now()));
  }

  send(): void {
    this.#leave();
    this.#events.send().then(this.#call.resolve, (error: unknown) => {
      this.#call.reject(error as Error);
    });
  }

  failed(error: Error): void {
    this.#leave();
    this.#call.reject(error);
    this.#events.left();
  }

  #leave(): void {
    clearTimeout(this.#timer);
    offAbort(this.#signal, this.#aborted);
  }
}
