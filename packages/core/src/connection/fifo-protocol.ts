/**
 * Messages over a framing without ids. Answers are matched to requests by order, on both sides, so a request that
 * is aborted ends the connection: its late answer would go to the next caller.
 */
import { asError } from '../errors/as-error.js';
import { failedCall } from '../errors/call-promise.js';
import { ConnectionClosedError, FramingMismatchError, RequestNotStartedError } from '../errors/index.js';
import { answerToBytes, type Decoder, type MessageSink, type Output } from '../framing/framing.js';
import { consumed, emptyRequest } from './call-failures.js';
import { copyOf } from '../framing/view.js';
import type { RequestHandler, RequestOptions } from './connection-types.js';
import { OutgoingRequests, type OutgoingEvents } from './outgoing-requests.js';
import { OrderedAnswers } from './ordered-answers.js';
import type { Protocol, ProtocolHost } from './protocol.js';
import { Responder, type ReceivedRequest, type ResponderEvents } from './responder.js';
import { publishMessage } from './traffic-events.js';

export class FifoProtocol<In, Out>
  implements Protocol<In, Out>, MessageSink, ResponderEvents<In, Out>, OutgoingEvents
{
  readonly endWords = 'stream-end';
  readonly clean = 'unknown';
  // Here an aborted request ends the connection.
  readonly requestsGivenUp = 0;
  // The peer's limits aren't known.
  readonly peerLimit = Infinity;
  readonly maxRequestsWaiting: number;
  received = 0;
  sent = 0;
  readonly #host: ProtocolHost<In, Out>;
  readonly #decoder: Decoder;
  readonly #parse: ((payload: Buffer) => In) | undefined;
  // Most connections carry messages alone: what requests need is created for the first of them.
  #outgoing: OutgoingRequests<In> | null = null;
  #responder: Responder<In, Out> | null = null;
  #answers: OrderedAnswers | null = null;
  /** Requests held back while the permitted number is unanswered, or the peer reads no answers. */
  #waiting: In[] = [];
  #nextWaiting = 0;
  #running = false;
  #lends = false;
  #over = false;
  #abandoned = false;
  #draining: (() => Error) | null = null;
  #requestsReceived = 0;
  #started = 0;

  constructor(host: ProtocolHost<In, Out>) {
    this.#host = host;
    this.maxRequestsWaiting = host.limits.maxRequestsInFlight;
    this.#decoder = host.framing.decoder({ maxMessageBytes: host.limits.maxMessageBytes });
    this.#parse = host.framing.parse;
  }

  get #answered(): number {
    return this.#answers?.sent ?? 0;
  }

  /** Once the connection has failed no answer goes out: then only running handlers count. */
  get requestsHandled(): number {
    return this.#abandoned ? (this.#responder?.size ?? 0) : this.#requestsReceived - this.#answered;
  }

  get requestsWorkedOn(): number {
    const responder = this.#responder;
    if (responder === null) return 0;
    // Answers that wait for one whose handler only waits for the end will never go out.
    return responder.size > 0 && responder.working === 0 ? 0 : this.requestsHandled;
  }

  get requestsWanted(): number {
    return this.requestsWorkedOn;
  }

  get full(): boolean {
    return this.#waiting.length > this.#nextWaiting;
  }

  get requestsWaiting(): number {
    return this.#outgoing?.waiting ?? 0;
  }

  get copiesNext(): number {
    return this.#decoder.copiesNext ?? 0;
  }

  start(): void {
    this.#host.opened();
  }

  handedOut(): void {
    // Nothing is refused for lack of a handler here: without one it is a message.
  }

  lend(): boolean {
    // What a framing makes of a payload may refer to it.
    if (this.#parse !== undefined || this.#decoder.lend === undefined) return false;
    this.#decoder.lend();
    this.#lends = true;
    return true;
  }

  push(chunk: Buffer): void {
    this.#decoder.push(chunk, this);
  }

  resume(): void {
    if (this.full) this.#runWaiting();
  }

  end(): void {
    this.#decoder.end(this);
    this.#host.peerFinished('unknown', null);
  }

  message(payload: Buffer): void {
    if (this.#over) return;
    this.received += 1;
    publishMessage(this.#host.connection, 'in', payload.length);
    const outgoing = this.#outgoing;
    const answers = outgoing === null ? undefined : outgoing.oldest;
    if (answers !== undefined)
      this.#receiveAnswer(outgoing as OutgoingRequests<In>, answers, this.#kept(payload));
    else if (this.#responder !== null) this.#receiveRequest(this.#parsed(this.#kept(payload)));
    else this.#host.deliver(this.#parsed(payload), payload.length);
  }

  /** Only messages are lent. */
  #kept(payload: Buffer): Buffer {
    return this.#lends ? copyOf(payload) : payload;
  }

  send(payload: Uint8Array): void {
    const host = this.#host;
    const { writer } = host;
    const mark = writer.gatheredBytes;
    try {
      host.framing.encode(payload, writer);
    } catch (error) {
      writer.rewind(mark);
      throw error;
    }
    this.sent += 1;
    publishMessage(host.connection, 'out', payload.length);
    writer.commit();
  }

  get refusesMessages(): Error | null {
    if (this.#responder === null) return null;
    const { name } = this.#host.framing;
    const message = `${name} can't carry a message beside the answers of a request handler: the peer would take it for one`;
    const hint = 'Put it into the answer, or use knsock(), which distinguishes messages from answers.';
    return this.#host.named(new FramingMismatchError(message, { hint }));
  }

  check(payload: Uint8Array): void {
    this.#host.framing.encode(payload, nowhere);
  }

  request(payload: Uint8Array, { signal, timeout }: RequestOptions): Promise<In> {
    if (this.#responder !== null) {
      const message = `${this.#host.framing.name} can't carry requests both ways: a request of the peer would be taken for the answer`;
      return this.#failed(new FramingMismatchError(message, { hint: 'Use knsock() for that.' }));
    }
    const { limits, sendQueue } = this.#host;
    this.#outgoing ??= new OutgoingRequests<In>(sendQueue, this, this.#host, {
      ...limits,
      maxInFlight: limits.maxRequestsInFlight,
    });
    try {
      this.check(payload);
      if (payload.length === 0 && this.#host.framing.name === 'raw') throw emptyRequest();
      return this.#outgoing.ask(payload, timeout, signal);
    } catch (error) {
      return this.#failed(asError(error));
    }
  }

  #failed(error: Error): Promise<In> {
    return failedCall(this.#host.named(error), (unheard) => {
      this.#host.unawaited(unheard, 'a request');
    });
  }

  sendRequest(_id: number, payload: Uint8Array): void {
    this.send(payload);
  }

  givenUp(): void {
    const { name } = this.#host.framing;
    const why = `a request was given up, and ${name} can't distinguish its late answer from the next`;
    const hint = 'Connect again; over knsock() a request can be given up alone.';
    this.#host.fail(new ConnectionClosedError('unknown', why, { hint }), true);
  }

  stalled(): string | null {
    return this.#host.stalled();
  }

  requestsDone(): void {
    this.#host.progress();
  }

  handle(handler: RequestHandler<In, Out>): void {
    if (this.#responder !== null) throw consumed(this.#host, 'requests', 'a handler was set before');
    if (this.requestsWaiting > 0) {
      const { name } = this.#host.framing;
      throw new FramingMismatchError(
        `${name} can't carry requests both ways, and some of ours wait for answers`,
      );
    }
    const responder = new Responder(this, this.#host.activity);
    responder.handler = handler;
    responder.draining = this.#draining;
    // Every message is a request from now on, including those that arrived before the handler.
    const waiting = this.#host.divertMessages();
    this.#responder = responder;
    for (const message of waiting) if (!this.#over) this.#receiveRequest(message);
  }

  ping(): Promise<number> {
    const message = `ping needs the knsock framing; ${this.#host.framing.name} has no frame for it`;
    return failedCall(this.#host.named(new FramingMismatchError(message)), (unheard) => {
      this.#host.unawaited(unheard, 'a ping');
    });
  }

  signOfLife(): void {
    // No frame can announce it.
  }

  announceDrain(): void {
    // These framings have no frame for it.
    this.#outgoing?.refuseMore(() =>
      this.#host.named(new RequestNotStartedError('the connection is draining')),
    );
  }

  publishDraining(reason: () => Error): void {
    this.#draining ??= reason;
    this.#responder?.drain(reason);
  }

  hurry(reason: Error): void {
    this.#responder?.cancelAll(reason, 'us');
  }

  announceEnd(): void {
    // The end of the bytes is the only sign; a request that arrives now can't be answered.
    if (this.#responder !== null) this.#over = true;
  }

  announceFailure(): void {
    // No frame can report it. The socket is gone a turn later; input until then is no longer accepted.
    this.#over = true;
    this.#waiting = [];
    this.#nextWaiting = 0;
  }

  failOutgoing(why: () => Error): void {
    this.#outgoing?.abandon(why);
  }

  cancelIncoming(reason: Error): void {
    this.#responder?.cancelAll(reason, 'peer');
  }

  abandon(why: () => Error): void {
    this.#over = true;
    this.#outgoing?.abandon(why);
    this.#waiting = [];
    this.#nextWaiting = 0;
    this.#abandoned = true;
    if (this.requestsHandled > 0) this.#responder?.cancelAll(why(), 'peer');
  }

  answer(request: ReceivedRequest<In, Out>, result: Out): void {
    if (this.#over) return;
    const answer = answerToBytes(this.#host.framing, result);
    (this.#answers ??= new OrderedAnswers(this, this.#host.sendQueue)).add(request.id, answer);
    if (this.full) this.#runWaiting();
  }

  /** No frame can carry a failure here, so it ends the connection. */
  fail(request: ReceivedRequest<In, Out>, error: Error): void {
    if (!request.isStoppedBy(error)) this.#host.report(error, request);
    this.#host.fail(error, true, true);
  }

  signalFailed(request: ReceivedRequest<In, Out>, error: unknown): void {
    this.#host.report(asError(error), request, "a listener of a request's signal");
  }

  finished(): void {
    this.#host.progress();
  }

  #parsed(payload: Buffer): In {
    return this.#parse === undefined ? (payload as In) : this.#parse(payload);
  }

  #receiveAnswer(outgoing: OutgoingRequests<In>, id: number, payload: Buffer): void {
    outgoing.answered(id, this.#parsed(payload));
  }

  #receiveRequest(payload: In): void {
    this.#requestsReceived += 1;
    if (this.full || !this.#mayRun) this.#waiting.push(payload);
    else this.#run(payload);
  }

  /** An answer that waits for an earlier one counts: a slow request must not let answers pile up behind it. */
  get #mayRun(): boolean {
    const { limits, sendQueue, budget } = this.#host;
    if (this.#started - this.#answered >= limits.maxRequestsInFlight || sendQueue.overfull) return false;
    return !budget.isSpent();
  }

  #run(payload: In): void {
    this.#started += 1;
    this.#responder?.run(this.#started, payload, this.#host.connection);
  }

  /** A loop and no recursion: handlers that answer at once may be thousands in a row. */
  #runWaiting(): void {
    if (this.#running) return;
    this.#running = true;
    while (this.full && this.#mayRun) this.#run(this.#waiting[this.#nextWaiting++] as In);
    this.#running = false;
    if (this.full) return;
    this.#waiting = [];
    this.#nextWaiting = 0;
    this.#host.relieved();
  }
}

/** Discards everything: checks whether a message can be encoded, before it is accepted to be encoded later. */
const nowhere: Output = { buffer: Buffer.alloc(1_024), reserve: () => 0, append: () => undefined };
