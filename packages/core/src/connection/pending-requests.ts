/**
 * Requests that wait for their answer, by id. One timer serves them all: it is set to the earliest deadline and is
 * not moved when an answer arrives, so that a request costs no timer of its own.
 */
import { CallPromise, rejectCall } from '../errors/call-promise.js';
import { ConnectionTimeoutError } from '../errors/index.js';
import { standingAlone, type CallFailures } from './call-failures.js';
import { offAbort, onAbort } from '../waiting/on-abort.js';

interface Pending {
  promise: CallPromise<unknown> | null;
  readonly resolve: (answer: never) => void;
  readonly reject: (error: Error) => void;
  readonly timeout: number;
  readonly deadline: number;
  readonly signal: AbortSignal | undefined;
  readonly aborted: (() => void) | undefined;
}

export class PendingRequests<In> {
  readonly #abandoned: (id: number) => void;
  readonly #stalled: () => string | null;
  readonly #failures: CallFailures;
  readonly #pending = new Map<number, Pending>();
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Number.POSITIVE_INFINITY;

  /**
   * @param abandoned called with a request that was aborted or timed out; it is already removed here
   * @param stalled why no answer can be read at the moment, or null
   */
  constructor(
    abandoned: (id: number) => void,
    stalled: () => string | null = () => null,
    failures = standingAlone,
  ) {
    this.#abandoned = abandoned;
    this.#stalled = stalled;
    this.#failures = failures;
  }

  get size(): number {
    return this.#pending.size;
  }

  /** The request that has waited longest. */
  get oldest(): number | undefined {
    for (const id of this.#pending.keys()) return id;
    return undefined;
  }

  /** The answer to the request `id`, or its failure by `fail`, its deadline or its signal. */
  wait(id: number, timeout: number, signal: AbortSignal | undefined): Promise<In> {
    let pending!: Pending;
    const promise = new CallPromise<In>((resolve, reject) => {
      const aborted = signal === undefined ? undefined : () => this.#abandon(id, signal.reason as Error);
      const deadline = performance.now() + timeout;
      pending = { promise: null, resolve, reject, timeout, deadline, signal, aborted };
      this.#pending.set(id, pending);
      if (aborted !== undefined) onAbort(signal, aborted);
      if (deadline < this.#timerAt) this.#arm(deadline, timeout);
    });
    pending.promise = promise;
    return promise;
  }

  has(id: number): boolean {
    return this.#pending.has(id);
  }

  /** Gives a request its answer; false where no caller waits for it any more. */
  settle(id: number, answer: In): boolean {
    const pending = this.#remove(id);
    if (pending === undefined) return false;
    (pending.resolve as (answer: In) => void)(answer);
    return true;
  }

  fail(id: number, error: Error): boolean {
    const pending = this.#remove(id);
    if (pending === undefined) return false;
    const { promise, reject, signal } = pending;
    rejectCall(promise as CallPromise<unknown>, reject, error, (unheard) => {
      if (unheard !== signal?.reason) this.#failures.unawaited(unheard, 'a request');
    });
    return true;
  }

  /** The requests that wait. */
  ids(): Iterable<number> {
    return this.#pending.keys();
  }

  /** Fails every request that `concerns` it, with an error of its own. */
  failWhere(concerns: (id: number) => boolean, error: (id: number) => Error): void {
    for (const id of [...this.#pending.keys()]) if (concerns(id)) this.fail(id, error(id));
  }

  /**
   * Fails every request; no more will be sent. The timer is cleared too: it would keep the whole connection in memory.
   * @param why created only where a request waits
   */
  failAll(why: () => Error): void {
    if (this.#pending.size > 0) {
      const error = why();
      for (const id of [...this.#pending.keys()]) this.fail(id, error);
    }
    clearTimeout(this.#timer);
    this.#timerAt = Number.POSITIVE_INFINITY;
  }

  #remove(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    if (pending === undefined) return undefined;
    this.#pending.delete(id);
    if (pending.aborted !== undefined) offAbort(pending.signal, pending.aborted);
    if (this.#pending.size === 0) this.#disarm();
    return pending;
  }

  #abandon(id: number, reason: Error): void {
    if (this.fail(id, reason)) this.#abandoned(id);
  }

  #arm(deadline: number, wait: number): void {
    clearTimeout(this.#timer);
    this.#timerAt = deadline;
    this.#timer = setTimeout(
      () => {
        this.#expire();
      },
      Math.max(1, wait),
    );
    this.#timer.unref();
  }

  #disarm(): void {
    // A request soon after costs no new timer: the running one finds nothing and stops.
    if (this.#timerAt - performance.now() < 60_000) return;
    clearTimeout(this.#timer);
    this.#timerAt = Number.POSITIVE_INFINITY;
  }

  #expire(): void {
    const now = performance.now();
    this.#timerAt = Number.POSITIVE_INFINITY;
    let next = Number.POSITIVE_INFINITY;
    for (const [id, { deadline, timeout }] of [...this.#pending]) {
      if (deadline > now) next = Math.min(next, deadline);
      else this.#abandon(id, this.#timeoutError(timeout));
    }
    if (next !== Number.POSITIVE_INFINITY) this.#arm(next, Math.ceil(next - now));
  }

  #timeoutError(timeout: number): ConnectionTimeoutError {
    return this.#failures.named(this.#lateError(timeout));
  }

  #lateError(timeout: number): ConnectionTimeoutError {
    const words = `no answer came within ${timeout} ms`;
    const stalled = this.#stalled();
    if (stalled === null) return new ConnectionTimeoutError('request', timeout, words);
    const hint = 'Take the messages by onMessage() or receive(); until then no answer is read.';
    return new ConnectionTimeoutError('request', timeout, `${words}: ${stalled}`, { hint });
  }
}
