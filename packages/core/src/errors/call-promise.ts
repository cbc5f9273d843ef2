/** Promises of calls that a program may leave unawaited: their failure is no unhandled rejection, and is reported. */

/** Takes the failure of a call that nobody awaits. */
export type Unawaited = (error: Error) => void;

export class CallPromise<T> extends Promise<T> {
  /** Whether anybody waits for it. */
  isAwaited = false;

  // What is chained to it is an ordinary promise.
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  // `await` calls it on a subclass, so this is where it shows whether anybody waits.
  override then<A = T, B = never>(
    fulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    rejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.isAwaited = true;
    return super.then(fulfilled, rejected);
  }
}

/** Rejects the promise of a call. Callers that wait have said so by the end of this turn; without one it is reported. */
export function rejectCall(
  promise: CallPromise<unknown>,
  reject: (error: Error) => void,
  error: Error,
  unawaited: Unawaited,
): void {
  void Promise.prototype.then.call(promise, undefined, () => undefined);
  reject(error);
  if (promise.isAwaited) return;
  setImmediate(() => {
    if (!promise.isAwaited) unawaited(error);
  });
}

/** A call that is settled later. */
export class PendingCall<T> {
  readonly promise: CallPromise<T>;
  readonly #unawaited: Unawaited;
  resolve!: (value: T) => void;
  #reject!: (error: Error) => void;

  constructor(unawaited: Unawaited) {
    this.#unawaited = unawaited;
    this.promise = new CallPromise<T>((resolve, reject) => {
      this.resolve = resolve;
      this.#reject = reject;
    });
  }

  reject(error: Error): void {
    rejectCall(this.promise, this.#reject, error, this.#unawaited);
  }
}

/** A call that its caller's own signal gave up: nobody's failure. */
export function abortedCall<T>(signal: AbortSignal): Promise<T> {
  return failedCall(signal.reason as Error, () => undefined);
}

/** A call that has failed already. */
export function failedCall<T>(error: Error, unawaited: Unawaited): Promise<T> {
  const call = new PendingCall<T>(unawaited);
  call.reject(error);
  return call.promise;
}

/** The same for a call that another promise settles. */
export function reportUnawaited<T>(work: Promise<T>, unawaited: Unawaited): Promise<T> {
  const call = new PendingCall<T>(unawaited);
  work.then(call.resolve, (error: unknown) => {
    call.reject(error as Error);
  });
  return call.promise;
}
