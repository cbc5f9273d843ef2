/**
 * Requests that wait for their answer, by id. One timer serves them all: it stands at the earliest deadline and is
 * not moved when an answer comes, so that a request costs no timer of its own.
 */
import { ConnectionTimeoutError } from '../errors/index.js';

interface Pending {
  readonly resolve: (answer: never) => void;
  readonly reject: (error: Error) => void;
  readonly timeout: number;
  readonly deadline: number;
  readonly signal: AbortSignal | undefined;
  readonly onAbort: (() => void) | undefined;
}

export class PendingRequests<In> {
  readonly #abandoned: (id: number) => void;
  readonly #pending = new Map<number, Pending>();
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Number.POSITIVE_INFINITY;

  /** @param abandoned called with a request that was aborted or timed out; it is forgotten here already */
  constructor(abandoned: (id: number) => void) {
    this.#abandoned = abandoned;
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
    return new Promise<In>((resolve, reject) => {
      const onAbort = signal === undefined ? undefined : () => this.#abandon(id, signal.reason as Error);
      const deadline = performance.now() + timeout;
      this.#pending.set(id, {
        resolve: resolve,
        reject,
        timeout,
        deadline,
        signal,
        onAbort,
      });
      if (onAbort !== undefined) signal?.addEventListener('abort', onAbort, { once: true });
      if (deadline < this.#timerAt) this.#arm(deadline, timeout);
    });
  }

  has(id: number): boolean {
    return this.#pending.has(id);
  }

  /** Gives a request its answer; false where nobody waits for it any more. */
  settle(id: number, answer: In): boolean {
    const pending = this.#remove(id);
    if (pending === undefined) return false;
    (pending.resolve as (answer: In) => void)(answer);
    return true;
  }

  fail(id: number, error: Error): boolean {
    const pending = this.#remove(id);
    if (pending === undefined) return false;
    pending.reject(error);
    return true;
  }

  /** Fails every request that `concerns` it, with an error of its own. */
  failWhere(concerns: (id: number) => boolean, error: (id: number) => Error): void {
    for (const id of [...this.#pending.keys()]) if (concerns(id)) this.fail(id, error(id));
  }

  /** Fails every request; nothing will be asked any more. */
  failAll(error: Error): void {
    for (const id of [...this.#pending.keys()]) this.fail(id, error);
    clearTimeout(this.#timer);
    this.#timerAt = Number.POSITIVE_INFINITY;
  }

  #remove(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    if (pending === undefined) return undefined;
    this.#pending.delete(id);
    if (pending.onAbort !== undefined) pending.signal?.removeEventListener('abort', pending.onAbort);
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
      else
        this.#abandon(
          id,
          new ConnectionTimeoutError('request', timeout, `no answer came within ${timeout} ms`),
        );
    }
    if (next !== Number.POSITIVE_INFINITY) this.#arm(next, Math.ceil(next - now));
  }
}
