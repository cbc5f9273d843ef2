/** The peer's requests being handled: runs the handler, and returns each answer, or failure, exactly once. */
import { asError } from '../errors/as-error.js';
import type { PeerIdentity } from '../transport/peer-identity.js';
import type { Activity } from './activity.js';
import type { IncomingRequest, RequestHandler, SecureConnection } from './connection-types.js';
import { reportingController } from '../errors/reporting-signal.js';
import { follow, isThenable } from '../errors/thenable.js';
import { publishAnswering, type RequestEnd } from './traffic-events.js';

/** Receives the outcome of a request. */
export interface ResponderEvents<In, Out> {
  /** @throws for what can't be sent, before any of it was sent */
  answer(request: ReceivedRequest<In, Out>, result: Out): void;
  fail(request: ReceivedRequest<In, Out>, error: Error): void;
  /** A listener of one of the request's signals failed. */
  signalFailed(request: ReceivedRequest<In, Out>, error: unknown): void;
  /** A request was answered that hadn't been answered at once. */
  finished(): void;
}

/** A request of the peer; its signals are created only when the handler reads them. */
export class ReceivedRequest<In, Out> implements IncomingRequest<In, Out> {
  readonly id: number;
  readonly payload: In;
  readonly connection: SecureConnection<In, Out>;
  /** Whether its handler only waits for the connection's end, as far as its first steps show. */
  waitsForEnd = false;
  /** Whether the peer cancelled it, and takes no answer. */
  isGivenUp = false;
  /** How often `closed` had been read when it started. */
  readsBefore = 0;
  #signal: AbortController | null = null;
  #cancelled: Error | null = null;
  #isLeft = false;
  #drainingSignal: AbortController | null = null;
  #draining: (() => Error) | null;
  readonly #events: Pick<ResponderEvents<In, Out>, 'signalFailed'>;

  /** @param draining why the connection drains already, or null */
  constructor(
    id: number,
    payload: In,
    connection: SecureConnection<In, Out>,
    draining: (() => Error) | null,
    events: Pick<ResponderEvents<In, Out>, 'signalFailed'>,
  ) {
    this.id = id;
    this.payload = payload;
    this.connection = connection;
    this.#draining = draining;
    this.#events = events;
  }

  get peer(): PeerIdentity | null {
    return this.connection.peer;
  }

  get signal(): AbortSignal {
    this.#signal ??= this.#firedIf(this.#cancelled);
    return this.#signal.signal;
  }

  get draining(): AbortSignal {
    this.#drainingSignal ??= this.#firedIf(this.#draining === null ? null : this.#draining());
    return this.#drainingSignal.signal;
  }

  /** @param by 'peer': it no longer waits for the answer, or is gone; 'us': our side is closing, and asks for the answer */
  cancel(reason: Error, by: 'peer' | 'us'): void {
    this.#cancelled ??= reason;
    this.#isLeft ||= by === 'peer';
    this.#signal?.abort(reason);
  }

  /**
   * Whether an error of the handler's only says that it stopped because the peer had given the request up: nobody is to blame for
   * that. Node's own calls throw the reason as the cause of another error.
   */
  isStoppedBy(error: Error): boolean {
    const reason = this.#cancelled;
    return this.#isLeft && reason !== null && (error === reason || error.cause === reason);
  }

  drain(reason: () => Error): void {
    if (this.#draining !== null) return;
    this.#draining = reason;
    this.#drainingSignal?.abort(reason());
  }

  #firedIf(reason: Error | null): AbortController {
    const controller = reportingController((error) => {
      this.#events.signalFailed(this, error);
    });
    if (reason !== null) controller.abort(reason);
    return controller;
  }
}

export class Responder<In, Out> {
  readonly #events: ResponderEvents<In, Out>;
  readonly #activity: Activity;
  /** Only requests still being handled: a handler that answers at once is never entered. */
  readonly #running = new Map<number, ReceivedRequest<In, Out>>();
  /** The one whose handler is being called: it may end the connection before it returns. */
  #called: ReceivedRequest<In, Out> | null = null;
  handler: RequestHandler<In, Out> | null = null;
  /** Why the connection drains; null while it doesn't. */
  draining: (() => Error) | null = null;

  constructor(events: ResponderEvents<In, Out>, activity: Activity) {
    this.#events = events;
    this.#activity = activity;
  }

  get size(): number {
    return this.#running.size + (this.#called === null ? 0 : 1);
  }

  /** Of those, how many wait for more than the connection's end. */
  get working(): number {
    let working = 0;
    for (const request of this.#running.values()) if (this.#isWorking(request)) working += 1;
    return this.#called === null ? working : working + 1;
  }

  /** Of those, how many the peer hasn't cancelled. */
  get wanted(): number {
    let wanted = 0;
    for (const request of this.#running.values())
      if (!request.isGivenUp && this.#isWorking(request)) wanted += 1;
    return this.#called === null ? wanted : wanted + 1;
  }

  #isWorking({ waitsForEnd, readsBefore }: ReceivedRequest<In, Out>): boolean {
    const isAlone = this.size === 1;
    return !waitsForEnd && !(isAlone && this.#activity.isWaitedForSince(readsBefore));
  }

  run(id: number, payload: In, connection: SecureConnection<In, Out>): void {
    const request = new ReceivedRequest<In, Out>(id, payload, connection, this.draining, this.#events);
    const ended = publishAnswering(connection);
    const reads = this.#activity.reads;
    const caller = this.#called;
    this.#called = request;
    let result: Out | Promise<Out>;
    try {
      result = (this.handler as RequestHandler<In, Out>)(request);
    } catch (error) {
      this.#called = caller;
      this.#fail(request, error, ended);
      this.#doneAtOnce();
      return;
    }
    this.#called = caller;
    if (!isThenable(result)) {
      this.#answer(request, result, ended);
      this.#doneAtOnce();
      return;
    }
    request.waitsForEnd = this.#activity.reads !== reads;
    request.readsBefore = this.#activity.reads;
    this.#await(request, result, ended);
  }

  /**
   * Fires the signal of a request; its handler still answers.
   * @param reason made for a request that is running: the peer may send any number of others
   */
  cancel(id: number, reason: () => Error): void {
    const request = this.#running.get(id);
    if (request === undefined || request.isGivenUp) return;
    request.isGivenUp = true;
    request.cancel(reason(), 'peer');
  }

  cancelAll(reason: Error, by: 'peer' | 'us'): void {
    this.#called?.cancel(reason, by);
    for (const request of this.#running.values()) request.cancel(reason, by);
  }

  /** The connection's end was announced by either side. */
  drain(reason: () => Error): void {
    this.draining ??= reason;
    this.#called?.drain(reason);
    for (const request of this.#running.values()) request.drain(reason);
  }

  /** Its handler may have asked for the end, which waits for the answer. */
  #doneAtOnce(): void {
    if (this.draining !== null) this.#events.finished();
  }

  #await(request: ReceivedRequest<In, Out>, result: PromiseLike<Out>, ended: RequestEnd | null): void {
    this.#running.set(request.id, request);
    follow(
      result,
      (answer) => {
        this.#running.delete(request.id);
        this.#answer(request, answer, ended);
        this.#events.finished();
      },
      (error) => {
        this.#running.delete(request.id);
        this.#fail(request, error, ended);
        this.#events.finished();
      },
    );
  }

  #answer(request: ReceivedRequest<In, Out>, answer: Out, ended: RequestEnd | null): void {
    try {
      this.#events.answer(request, answer);
    } catch (error) {
      this.#fail(request, error, ended);
      return;
    }
    ended?.(true);
  }

  #fail(request: ReceivedRequest<In, Out>, thrown: unknown, ended: RequestEnd | null): void {
    const error = asError(thrown);
    ended?.(false, error);
    this.#events.fail(request, error);
  }
}
