/** The peer's requests on a knsock/1 connection: taken up to a limit, each answered exactly once. */
import { InvalidJsonError, MessageTooLargeError, ProtocolError, RequestError } from '../errors/index.js';
import { toBytes } from '../framing/framing.js';
import { encodeError, encodeFrame, encodeGoaway, encodeRejected, Kind } from '../framing/knsock/index.js';
import type { ExchangeHost, RequestEvents } from './exchange.js';
import { ReceivedRequest } from './received-request.js';
import { Responder, type ResponderEvents } from './responder.js';
import type { RequestHandler } from './secure-connection.js';

export class HandledRequests<In, Out> implements ResponderEvents<In, Out> {
  readonly #host: ExchangeHost<In, Out>;
  readonly #events: RequestEvents;
  readonly #responder: Responder<In, Out>;
  /** Taken and not begun, by id, until the peer reads its answers again. */
  readonly #held = new Map<number, Buffer>();
  #lastId = 0;
  #draining = false;
  #silent = false;

  constructor(host: ExchangeHost<In, Out>, events: RequestEvents) {
    this.#host = host;
    this.#events = events;
    this.#responder = new Responder(this);
  }

  get size(): number {
    return this.#responder.size + this.#held.size;
  }

  set handler(handler: RequestHandler<In, Out>) {
    this.#responder.handler = handler;
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
    else if (this.#responder.handler === null) this.#error(id, 'no-handler', 'nobody answers requests here');
    else if (this.#host.overfull) this.#held.set(id, body);
    else this.#run(id, body);
  }

  /** The peer reads again. */
  resume(): void {
    for (const [id, body] of this.#held) {
      if (this.#host.overfull) return;
      this.#held.delete(id);
      this.#run(id, body);
    }
  }

  cancel(id: number, reason: Error): void {
    if (this.#held.delete(id)) this.#reject(id, 'busy', 'it was cancelled before it began');
    else this.#responder.cancel(id, reason);
  }

  /** Fires the signals of all that is being worked on; the handlers still answer. */
  cancelAll(reason: Error): void {
    this.#responder.cancelAll(reason);
  }

  /** From now on no request is started; the peer learns which was the last. */
  drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    encodeGoaway(this.#host.writer, this.#lastId);
    this.#host.writer.commit();
  }

  /** Our last frame was sent: answers that come now go nowhere. */
  silence(): void {
    this.#silent = true;
  }

  abandon(why: () => Error): void {
    this.#silent = true;
    this.#held.clear();
    if (this.#responder.size > 0) this.#responder.cancelAll(why());
  }

  answer(request: ReceivedRequest<In, Out>, result: Out): void {
    if (this.#silent) return;
    const { framing, writer } = this.#host;
    const payload = toBytes(framing, result);
    this.#events.checkSize(payload);
    encodeFrame(Kind.RESPONSE, request.id, payload, writer);
    this.#events.requestSent();
    writer.commit();
  }

  /** Only a RequestError's own words cross the wire; what else a handler throws may carry secrets. */
  fail({ id }: ReceivedRequest<In, Out>, error: unknown): void {
    if (error instanceof RequestError) this.#error(id, error.code, error.message);
    else if (error instanceof MessageTooLargeError) this.#error(id, 'answer-too-large', error.message);
    else this.#error(id, 'internal', '');
  }

  idle(): void {
    this.#events.requestsDone();
  }

  #run(id: number, body: Buffer): void {
    const payload = this.#parse(id, body);
    if (payload !== INVALID) this.#responder.run(new ReceivedRequest(id, payload, this.#host.connection));
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
    if (this.#silent) return;
    encodeError(this.#host.writer, id, code, text);
    this.#host.writer.commit();
  }

  #reject(id: number, reason: 'busy' | 'draining', text: string): void {
    if (this.#silent) return;
    encodeRejected(this.#host.writer, id, reason, text);
    this.#host.writer.commit();
  }
}

const INVALID = Symbol('invalid');
