/** Runs the handler for the peer's requests and hands each answer, or failure, back exactly once. */
import { isThenable } from './inbox.js';
import type { ReceivedRequest } from './received-request.js';
import type { RequestHandler } from './secure-connection.js';
import { tellAnswering, type Told } from './tell-traffic.js';

/** Takes what became of a request. */
export interface ResponderEvents<In, Out> {
  /** @throws for what can't be sent, before anything of it was */
  answer(request: ReceivedRequest<In, Out>, result: Out): void;
  fail(request: ReceivedRequest<In, Out>, error: unknown): void;
  /** The last request being worked on was answered. */
  idle(): void;
}

export class Responder<In, Out> {
  readonly #events: ResponderEvents<In, Out>;
  /** Only what is still being worked on: a handler that answers at once never enters. */
  readonly #running = new Map<number, ReceivedRequest<In, Out>>();
  handler: RequestHandler<In, Out> | null = null;

  constructor(events: ResponderEvents<In, Out>) {
    this.#events = events;
  }

  get size(): number {
    return this.#running.size;
  }

  run(request: ReceivedRequest<In, Out>): void {
    const told = tellAnswering(request.connection);
    let result: Out | Promise<Out>;
    try {
      result = (this.handler as RequestHandler<In, Out>)(request);
    } catch (error) {
      this.#fail(request, error, told);
      return;
    }
    if (isThenable(result)) this.#await(request, result, told);
    else this.#answer(request, result, told);
  }

  /** Fires the signal of a request; its handler still answers. */
  cancel(id: number, reason: Error): void {
    this.#running.get(id)?.cancel(reason);
  }

  cancelAll(reason: Error): void {
    for (const request of this.#running.values()) request.cancel(reason);
  }

  #await(request: ReceivedRequest<In, Out>, result: Promise<Out>, told: Told | null): void {
    this.#running.set(request.id, request);
    result.then(
      (answer) => {
        this.#running.delete(request.id);
        this.#answer(request, answer, told);
        if (this.#running.size === 0) this.#events.idle();
      },
      (error: unknown) => {
        this.#running.delete(request.id);
        this.#fail(request, error, told);
        if (this.#running.size === 0) this.#events.idle();
      },
    );
  }

  #answer(request: ReceivedRequest<In, Out>, answer: Out, told: Told | null): void {
    try {
      this.#events.answer(request, answer);
    } catch (error) {
      this.#fail(request, error, told);
      return;
    }
    told?.(true);
  }

  #fail(request: ReceivedRequest<In, Out>, error: unknown, told: Told | null): void {
    told?.(false, error);
    this.#events.fail(request, error);
  }
}
