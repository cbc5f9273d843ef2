/** The peer's requests on a knsock/1 connection: accepted up to a limit, each answered exactly once. */
import { InvalidJsonError, MessageTooLargeError, ProtocolError, RequestError } from '../errors/index.js';
import { asError } from '../errors/as-error.js';
import { answerToBytes } from '../framing/framing.js';
import { encodeError, encodeFrame, encodeGoaway, encodeRejected, Kind } from '../framing/knsock/index.js';
import { consumed } from './call-failures.js';
import type { RequestHandler } from './connection-types.js';
import type { ProtocolHost } from './protocol.js';
import { tooLargeForPeer } from './peer-limit.js';
import { Responder, type ReceivedRequest, type ResponderEvents } from './responder.js';

/** What incoming requests report to their protocol. */
export interface IncomingEvents {
  /** An answer was sent. */
  answerSent(): void;
  /** The largest message that the peer accepts, in bytes. */
  readonly peerLimit: number;
}

/** About how many bytes an error's message takes in the send queue. */
const ERROR_BYTES = 64;

export class IncomingRequests<In, Out> implements ResponderEvents<In, Out> {
  readonly #host: ProtocolHost<In, Out>;
  readonly #events: IncomingEvents;
  readonly #responder: Responder<In, Out>;
  /** Accepted and not started, by id: until the peer reads its answers again, or the program has had its turn. */
  readonly #held = new Map<number, Buffer>();
  #lastId = 0;
  #draining = false;
  #silent = false;

  constructor(host: ProtocolHost<In, Out>, events: IncomingEvents) {
    this.#host = host;
    this.#events = events;
    this.#responder = new Responder(this, host.activity);
  }

  get size(): number {
    return this.#responder.size + this.#held.size;
  }

  /** Those that hold the connection open. */
  get workedOn(): number {
    return this.#responder.working + this.#held.size;
  }

  /** Of those, the ones that the peer hasn't cancelled. */
  get wanted(): number {
    return this.#responder.wanted + this.#held.size;
  }

  handle(handler: RequestHandler<In, Out>): void {
    if (this.#responder.handler !== null) throw consumed(this.#host, 'requests', 'a handler was set before');
    this.#responder.handler = handler;
    this.resume();
  }

  /** @throws ProtocolError for an id that doesn't grow */
  receive(id: number, body: Buffer): void {
    if (id <= this.#lastId)
      throw new ProtocolError(`request id ${id} came after ${this.#lastId}; ids only grow`);
    if (this.#draining) {
      this.#reject(id, 'draining', 'the connection is draining');
      return;
    }
    this.#lastId = id;
    const { maxRequestsInFlight: maxInFlight } = this.#host.limits;
    if (this.size >= maxInFlight) this.#reject(id, 'busy', `${maxInFlight} requests are in flight already`);
    else if (this.#held.size > 0 || !this.#mayRun) this.#held.set(id, body);
    else this.#run(id, body);
  }

  /** The peer reads again, or the program has had its turn. */
  resume(): void {
    for (const [id, body] of this.#held) {
      if (!this.#mayRun) return;
      this.#held.delete(id);
      this.#run(id, body);
    }
  }

  cancel(id: number, reason: () => Error): void {
    if (this.#held.delete(id)) this.#reject(id, 'busy', 'it was cancelled before it began');
    else this.#responder.cancel(id, reason);
  }

  /** Fires the signals of all requests being handled; the handlers still answer. */
  cancelAll(reason: Error, by: 'peer' | 'us'): void {
    this.#responder.cancelAll(reason, by);
  }

  /** From now on no request is started; the peer learns which was the last. */
  drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    encodeGoaway(this.#host.writer, this.#lastId);
    this.#host.writer.commit();
  }

  publishDraining(reason: () => Error): void {
    this.#responder.drain(reason);
  }

  /** Our last frame was sent: later answers are dropped. */
  silence(): void {
    this.#silent = true;
  }

  abandon(why: () => Error): void {
    this.#silent = true;
    this.#held.clear();
    if (this.#responder.size > 0) this.#responder.cancelAll(why(), 'peer');
  }

  answer(request: ReceivedRequest<In, Out>, result: Out): void {
    if (this.#silent) return;
    const { framing, writer, sendQueue } = this.#host;
    const payload = answerToBytes(framing, result);
    const { peerLimit } = this.#events;
    if (payload.length > peerLimit) throw tooLargeForPeer(payload.length, peerLimit);
    if (sendQueue.isWaiting) this.#respondLater(request.id, payload);
    else this.#respond(request.id, payload);
    writer.commit();
  }

  #respondLater(id: number, payload: Uint8Array): void {
    this.#host.sendQueue.answer(payload.length, () => {
      this.#respond(id, payload);
    });
  }

  /** Only a RequestError's message is sent to the peer; other errors of a handler may carry secrets. */
  fail(request: ReceivedRequest<In, Out>, error: Error): void {
    const { id } = request;
    if (error instanceof RequestError) {
      this.#error(id, error.code, error.message);
      return;
    }
    if (error instanceof MessageTooLargeError) this.#error(id, 'answer-too-large', error.message);
    else this.#error(id, 'internal', '');
    if (request.isStoppedBy(error)) return;
    // The peer has its message now, so ours may add the peer's address.
    this.#host.report(error instanceof MessageTooLargeError ? this.#host.named(error) : error, request);
  }

  signalFailed(request: ReceivedRequest<In, Out>, error: unknown): void {
    this.#host.report(asError(error), request, "a listener of a request's signal");
  }

  finished(): void {
    this.#host.progress();
  }

  /** Nothing is refused before the program had its turn, and nothing started while the peer reads no answers. */
  get #mayRun(): boolean {
    if (this.#responder.handler === null) return this.#host.isHandedOut;
    return !this.#host.sendQueue.overfull && !this.#host.budget.isSpent();
  }

  #respond(id: number, payload: Uint8Array): void {
    if (this.#silent) return;
    encodeFrame(Kind.RESPONSE, id, payload, this.#host.writer);
    this.#events.answerSent();
  }

  #run(id: number, body: Buffer): void {
    if (this.#responder.handler === null) {
      this.#error(id, 'no-handler', 'no request handler is set');
      return;
    }
    const payload = this.#parse(id, body);
    if (payload !== INVALID) this.#responder.run(id, payload, this.#host.connection);
  }

  #parse(id: number, body: Buffer): In | typeof INVALID {
    const { parse } = this.#host.framing;
    if (parse === undefined) return body as In;
    try {
      return parse(body);
    } catch (error) {
      if (!(error instanceof InvalidJsonError)) throw error;
      this.#error(id, 'invalid-json', error.message);
      return INVALID;
    }
  }

  #error(id: number, code: string, text: string): void {
    const { writer, sendQueue } = this.#host;
    sendQueue.answer(ERROR_BYTES + text.length, () => {
      if (this.#silent) return;
      encodeError(writer, id, code, text);
      writer.commit();
    });
  }

  #reject(id: number, reason: 'busy' | 'draining', text: string): void {
    if (this.#silent) return;
    encodeRejected(this.#host.writer, id, reason, text);
    this.#host.writer.commit();
  }
}

const INVALID = Symbol('invalid');
