/**
 * Messages over a framing without ids. Answers belong to requests by their order, on both sides, so a request that
 * is given up ends the connection: its late answer would go to the next caller.
 */
import { asError } from '../errors/as-error.js';
import { ConnectionClosedError, FramingMismatchError, RequestNotStartedError } from '../errors/index.js';
import { toBytes, type Decoder, type MessageSink } from '../framing/framing.js';
import { Discard } from './discard.js';
import type { Exchange, ExchangeHost } from './exchange.js';
import { ReceivedRequest } from './received-request.js';
import { PendingRequests } from './pending-requests.js';
import { Responder, type ResponderEvents } from './responder.js';
import type { RequestHandler, RequestOptions } from './secure-connection.js';
import { tellMessage } from './tell-traffic.js';

export class FifoExchange<In, Out> implements Exchange<In, Out>, MessageSink, ResponderEvents<In, Out> {
  readonly clean = 'unknown';
  // Giving one up ends the connection here.
  readonly requestsGivenUp = 0;
  readonly maxRequestsWaiting: number;
  received = 0;
  sent = 0;
  readonly #host: ExchangeHost<In, Out>;
  readonly #decoder: Decoder;
  readonly #parse: ((payload: Buffer) => In) | undefined;
  // Most connections carry messages alone: what requests need is made for the first of them.
  #pending: PendingRequests<In> | null = null;
  #responder: Responder<In, Out> | null = null;
  /** Answers that are ready before their turn. */
  #early: Map<number, Uint8Array> | null = null;
  /** Requests held back while as many as allowed have no answer on its way, or the peer reads none. */
  #waiting: ReceivedRequest<In, Out>[] = [];
  #nextWaiting = 0;
  #running = false;
  #over = false;
  #asked = 0;
  #requestsReceived = 0;
  #started = 0;
  #answered = 0;

  constructor(host: ExchangeHost<In, Out>) {
    this.#host = host;
    this.maxRequestsWaiting = host.limits.maxRequestsInFlight;
    this.#decoder = host.framing.decoder({ maxMessageBytes: host.limits.maxMessageBytes });
    this.#parse = host.framing.parse;
  }

  get requestsHandled(): number {
    return this.#requestsReceived - this.#answered;
  }

  get full(): boolean {
    return this.#waiting.length > this.#nextWaiting;
  }

  get requestsWaiting(): number {
    return this.#pending?.size ?? 0;
  }

  get copiesNext(): number {
    return this.#decoder.copiesNext ?? 0;
  }

  start(): void {
    this.#host.opened();
  }

  push(chunk: Buffer): void {
    this.#decoder.push(chunk, this);
  }

  resume(): void {
    if (this.full) this.#runWaiting();
  }

  end(): void {
    this.#decoder.end(this);
    this.#host.peerFinished();
  }

  message(payload: Buffer): void {
    if (this.#over) return;
    this.received += 1;
    tellMessage(this.#host.connection, 'in', payload.length);
    const message = this.#parse === undefined ? (payload as In) : this.#parse(payload);
    if (this.#pending !== null && this.#pending.size > 0) this.#receiveAnswer(this.#pending, message);
    else if (this.#responder !== null) this.#receiveRequest(message);
    else this.#host.deliver(message, payload.length);
  }

  send(payload: Uint8Array): void {
    const { writer, framing } = this.#host;
    const mark = writer.gatheredBytes;
    try {
      framing.encode(payload, writer);
    } catch (error) {
      writer.rewind(mark);
      throw error;
    }
    this.sent += 1;
    tellMessage(this.#host.connection, 'out', payload.length);
    writer.commit();
  }

  check(payload: Uint8Array): void {
    this.#host.framing.encode(payload, new Discard());
  }

  request(payload: Uint8Array, { signal, timeout }: RequestOptions): Promise<In> {
    const pending = (this.#pending ??= this.#newPending());
    if (pending.size >= this.maxRequestsWaiting) {
      return Promise.reject(
        new RequestNotStartedError(`${pending.size} requests wait for their answers already`),
      );
    }
    try {
      this.send(payload);
    } catch (error) {
      return Promise.reject(asError(error));
    }
    return pending.wait(++this.#asked, timeout ?? this.#host.limits.requestTimeout, signal);
  }

  handle(handler: RequestHandler<In, Out>): void {
    this.#responder ??= new Responder(this);
    this.#responder.handler = handler;
  }

  ping(): Promise<number> {
    return Promise.reject(
      new FramingMismatchError(
        `ping needs the knsock framing; ${this.#host.framing.name} has no frame for it`,
      ),
    );
  }

  announceDrain(): void {
    // These framings have no words for it.
  }

  announceEnd(): void {
    // The end of the bytes is the only sign there is.
  }

  abandon(why: () => Error): void {
    this.#over = true;
    if (this.requestsWaiting > 0) this.#pending?.failAll(why());
    this.#waiting = [];
    this.#nextWaiting = 0;
    if (this.requestsHandled > 0) this.#responder?.cancelAll(why());
  }

  answer(request: ReceivedRequest<In, Out>, result: Out): void {
    if (this.#over) return;
    const answer = toBytes(this.#host.framing, result);
    if (request.id === this.#answered + 1) this.#sendInTurn(answer);
    else (this.#early ??= new Map<number, Uint8Array>()).set(request.id, answer);
  }

  /** No frame can carry a failure here, so it ends the connection. */
  fail(_request: ReceivedRequest<In, Out>, error: unknown): void {
    this.#host.fail(error instanceof Error ? error : new Error(String(error)));
  }

  idle(): void {
    if (this.requestsWaiting === 0 && this.requestsHandled === 0) this.#host.idle();
  }

  #newPending(): PendingRequests<In> {
    const host = this.#host;
    return new PendingRequests<In>(() => {
      const why = `a request was given up, and ${host.framing.name} can’t tell its late answer from the next`;
      const hint = 'Connect again; over knsock() a request can be given up alone.';
      host.fail(new ConnectionClosedError('unknown', why, { hint }));
    });
  }

  #receiveAnswer(pending: PendingRequests<In>, message: In): void {
    pending.settle(pending.oldest as number, message);
    if (pending.size === 0) this.idle();
  }

  #receiveRequest(payload: In): void {
    const request = new ReceivedRequest<In, Out>(++this.#requestsReceived, payload, this.#host.connection);
    if (this.full || !this.#mayRun) this.#waiting.push(request);
    else this.#run(request);
  }

  /** An answer that waits for an earlier one counts: a slow request must not let answers pile up behind it. */
  get #mayRun(): boolean {
    return this.#started - this.#answered < this.#host.limits.maxRequestsInFlight && !this.#host.overfull;
  }

  #run(request: ReceivedRequest<In, Out>): void {
    this.#started += 1;
    this.#responder?.run(request);
  }

  /** Sends the answer whose turn has come, and those that waited for it. */
  #sendInTurn(first: Uint8Array): void {
    let answer: Uint8Array | undefined = first;
    while (answer !== undefined) {
      this.#answered += 1;
      this.send(answer);
      const next: number = this.#answered + 1;
      answer = this.#early?.get(next);
      this.#early?.delete(next);
    }
    if (this.requestsHandled === 0) this.idle();
    else if (this.full) this.#runWaiting();
  }

  /** A loop and no recursion: handlers that answer at once may be thousands in a row. */
  #runWaiting(): void {
    if (this.#running) return;
    this.#running = true;
    while (this.full && this.#mayRun)
      this.#run(this.#waiting[this.#nextWaiting++] as ReceivedRequest<In, Out>);
    this.#running = false;
    if (this.full) return;
    this.#waiting = [];
    this.#nextWaiting = 0;
    this.#host.relieved();
  }
}
