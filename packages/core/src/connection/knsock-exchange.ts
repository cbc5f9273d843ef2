/**
 * knsock/1 on one connection: WELCOME first, requests both ways answered in any order, an end that is announced.
 * `docs/wire-format.md` gives every rule; the comments here say only where one is kept.
 */
import {
  ClientCertificateRefusedError,
  ConnectionClosedError,
  EasySocketError,
  FramingMismatchError,
  InvalidJsonError,
  MessageTooLargeError,
  PeerNotAllowedError,
  ProtocolError,
  RemoteHandlerError,
  RequestError,
  RequestNotStartedError,
  UntrustedPeerError,
  type Reason,
} from '../errors/index.js';
import { isReason } from '../errors/reason.js';
import { toBytes } from '../framing/framing.js';
import {
  encodeCancel,
  encodeClose,
  encodeError,
  encodeFrame,
  encodeGoaway,
  encodePing,
  encodePong,
  encodeRefused,
  encodeRejected,
  encodeWelcome,
  FrameDecoder,
  Kind,
  parseClose,
  parseError,
  parseRefused,
  parseRejected,
  parseWelcome,
  type FrameSink,
} from '../framing/knsock/index.js';
import type { Exchange, ExchangeHost } from './exchange.js';
import { ReceivedRequest } from './incoming-request.js';
import { PendingRequests } from './pending-requests.js';
import { Pings } from './pings.js';
import { RequestQueue } from './request-queue.js';
import { Responder, type ResponderEvents } from './responder.js';
import type { CleanEnd, RequestHandler, RequestOptions } from './secure-connection.js';

type Peer = { maxMessage: number; maxInFlight: number };

export class KnsockExchange<In, Out> implements Exchange<In, Out>, FrameSink, ResponderEvents<In, Out> {
  received = 0;
  sent = 0;
  readonly #role: 'client' | 'server';
  readonly #host: ExchangeHost<In, Out>;
  readonly #decoder: FrameDecoder;
  readonly #parse: ((payload: Buffer) => In) | undefined;
  readonly #pending: PendingRequests<In>;
  readonly #queue: RequestQueue<In>;
  readonly #responder: Responder<In, Out>;
  readonly #pings: Pings;
  /** Requests given up here that the peer still counts as in flight. */
  readonly #abandoned = new Set<number>();
  /** Requests that a GOAWAY left out; their REJECTED may still be on its way. */
  readonly #leftOut = new Set<number>();
  #peer: Peer | null = null;
  #lastAsked = 0;
  #lastReceived = 0;
  #draining = false;
  #peerDraining = false;
  #peerClosed: CleanEnd = false;
  #ended = false;

  constructor(host: ExchangeHost<In, Out>, role: 'client' | 'server') {
    this.#role = role;
    this.#host = host;
    this.#decoder = new FrameDecoder({ maxMessageBytes: host.limits.maxMessageBytes });
    this.#parse = host.framing.parse;
    this.#pending = new PendingRequests((id) => {
      this.#cancel(id);
    });
    this.#queue = new RequestQueue(host.limits.maxQueuedBytes);
    this.#responder = new Responder(this);
    this.#pings = new Pings((payload) => {
      encodePing(host.writer, payload);
      host.writer.commit();
    });
  }

  get clean(): CleanEnd {
    return this.#peerClosed;
  }

  get requestsHandled(): number {
    return this.#responder.size;
  }

  get requestsWaiting(): number {
    return this.#inFlight + this.#queue.length;
  }

  get maxRequestsWaiting(): number {
    return this.#peer?.maxInFlight ?? 0;
  }

  get full(): boolean {
    return false;
  }

  get #inFlight(): number {
    return this.#pending.size + this.#abandoned.size;
  }

  start(): void {
    if (this.#role === 'server') this.#welcome();
  }

  push(chunk: Buffer): void {
    this.#decoder.push(chunk, this);
  }

  end(): void {
    if (this.#peerClosed !== true) this.#decoder.end();
    this.#host.peerFinished();
  }

  send(payload: Uint8Array): void {
    this.#checkSize(payload);
    encodeFrame(Kind.MESSAGE, 0, payload, this.#host.writer);
    this.sent += 1;
    this.#host.writer.commit();
  }

  request(payload: Uint8Array, options: RequestOptions): Promise<In> {
    try {
      this.#checkSize(payload);
    } catch (error) {
      return Promise.reject(error as Error);
    }
    if (this.#peerDraining || this.#draining) {
      return Promise.reject(
        new RequestNotStartedError('the connection is draining and takes no new requests'),
      );
    }
    const timeout = options.timeout ?? this.#host.limits.requestTimeout;
    if (this.#inFlight >= (this.#peer as Peer).maxInFlight) {
      return this.#queue.add(payload, timeout, options.signal);
    }
    return this.#ask(payload, timeout, options.signal);
  }

  handle(handler: RequestHandler<In, Out>): void {
    this.#responder.handler = handler;
  }

  ping(timeout: number, signal: AbortSignal | undefined): Promise<number> {
    return this.#pings.ping(timeout, signal);
  }

  announceDrain(): void {
    if (this.#draining) return;
    this.#draining = true;
    encodeGoaway(this.#host.writer, this.#lastReceived);
    this.#host.writer.commit();
    this.#queue.failAll(() => new RequestNotStartedError('the connection is draining'));
  }

  announceEnd(error: Error | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    const { writer } = this.#host;
    if (error === undefined) encodeClose(writer);
    else if (error instanceof UntrustedPeerError || error instanceof PeerNotAllowedError) {
      encodeRefused(writer, error.reason, error.message);
    } else if (error instanceof EasySocketError)
      encodeClose(writer, { code: error.code, text: error.message });
    else encodeClose(writer, { code: 'internal', text: '' });
    writer.commit();
  }

  abandon(error: Error): void {
    this.#decoder.stop();
    this.#queue.failAll(
      () => new RequestNotStartedError('the connection ended before the request was sent', { cause: error }),
    );
    this.#pending.failWhere(
      () => true,
      () => error,
    );
    this.#abandoned.clear();
    this.#pings.failAll(error);
    this.#responder.cancelAll(error);
  }

  // ── frames in ──

  frame(kind: number, id: number, body: Buffer): void {
    if (this.#peer === null) this.#firstFrame(kind, body);
    else if (kind === Kind.MESSAGE) this.#receiveMessage(body);
    else if (kind === Kind.REQUEST) this.#receiveRequest(id, body);
    else if (kind === Kind.RESPONSE) this.#receiveAnswer(id, body);
    else this.#control(kind, id, body);
  }

  #firstFrame(kind: number, body: Buffer): void {
    if (kind === Kind.REFUSED) this.#refused(body);
    else if (kind === Kind.CLOSE) this.#receiveClose(body);
    else if (kind === Kind.WELCOME) this.#welcomed(body);
    else throw new FramingMismatchError(`the peer’s first frame is of kind ${kind} and not a WELCOME`);
  }

  #welcomed(body: Buffer): void {
    this.#peer = parseWelcome(body);
    if (this.#role === 'client') this.#welcome();
    this.#host.opened();
  }

  #welcome(): void {
    const { maxMessageBytes, maxRequestsInFlight } = this.#host.limits;
    encodeWelcome(this.#host.writer, { maxMessage: maxMessageBytes, maxInFlight: maxRequestsInFlight });
    this.#host.writer.commit();
  }

  #control(kind: number, id: number, body: Buffer): void {
    switch (kind) {
      case Kind.ERROR:
        return this.#receiveError(id, body);
      case Kind.CANCEL:
        return this.#responder.cancel(
          id,
          new ConnectionClosedError('unknown', 'the request was cancelled by its sender'),
        );
      case Kind.REJECTED:
        return this.#receiveRejected(id, body);
      case Kind.GOAWAY:
        return this.#receiveGoaway(id);
      case Kind.CLOSE:
        return this.#receiveClose(body);
      case Kind.PING:
        encodePong(this.#host.writer, body);
        return this.#host.writer.commit();
      case Kind.PONG:
        return this.#pings.pong(body);
      case Kind.REFUSED:
        return this.#refused(body);
      default:
        throw new ProtocolError(`a frame of kind ${kind} has no place here`);
    }
  }

  #receiveMessage(body: Buffer): void {
    this.received += 1;
    this.#host.deliver(this.#parse === undefined ? (body as In) : this.#parse(body), body.length);
  }

  #receiveRequest(id: number, body: Buffer): void {
    this.received += 1;
    if (id <= this.#lastReceived)
      throw new ProtocolError(`request id ${id} came after ${this.#lastReceived}; ids only grow`);
    if (this.#draining) return this.#reject(id, 'draining', 'the connection is draining');
    this.#lastReceived = id;
    const { maxRequestsInFlight } = this.#host.limits;
    if (this.#responder.size >= maxRequestsInFlight) {
      return this.#reject(id, 'busy', `${maxRequestsInFlight} requests are in flight already`);
    }
    if (this.#responder.handler === null)
      return this.#error(id, 'no-handler', 'nobody answers requests here');
    let payload: In;
    try {
      payload = this.#parse === undefined ? (body as In) : this.#parse(body);
    } catch (error) {
      if (!(error instanceof InvalidJsonError)) throw error;
      return this.#error(id, 'invalid-json', error.message);
    }
    this.#responder.run(new ReceivedRequest(id, payload, this.#host.connection));
  }

  #receiveAnswer(id: number, body: Buffer): void {
    this.received += 1;
    if (!this.#pending.has(id)) return this.#lateAnswer(id);
    try {
      this.#pending.settle(id, this.#parse === undefined ? (body as In) : this.#parse(body));
    } catch (error) {
      if (!(error instanceof InvalidJsonError)) throw error;
      this.#pending.fail(id, error);
    }
    this.#freed();
  }

  #receiveError(id: number, body: Buffer): void {
    const { code, text } = parseError(body);
    if (!this.#pending.has(id)) return this.#lateAnswer(id);
    this.#pending.fail(
      id,
      new RemoteHandlerError(code, text === '' ? `the peer’s handler failed (${code})` : text),
    );
    this.#freed();
  }

  #receiveRejected(id: number, body: Buffer): void {
    const { reason, text } = parseRejected(body);
    if (!this.#pending.has(id)) return this.#lateAnswer(id);
    this.#pending.fail(
      id,
      new RequestNotStartedError(`the peer didn’t start the request (${reason}): ${text}`),
    );
    this.#freed();
  }

  /** An answer to a request that was given up; to one never asked it breaks the protocol. */
  #lateAnswer(id: number): void {
    if (!this.#abandoned.delete(id))
      throw new ProtocolError(`an answer came to request ${id}, which nobody asked`);
    this.#freed();
  }

  #receiveGoaway(lastId: number): void {
    this.#peerDraining = true;
    const notStarted = (): Error =>
      new RequestNotStartedError('the peer is draining and didn’t start the request');
    this.#pending.failWhere((id) => id > lastId && this.#leftOut.add(id).has(id), notStarted);
    for (const id of this.#abandoned) if (id > lastId && this.#abandoned.delete(id)) this.#leftOut.add(id);
    this.#queue.failAll(notStarted);
    this.#host.peerDraining();
    this.idle();
  }

  #receiveClose(body: Buffer): void {
    const failure = parseClose(body);
    this.#decoder.stop();
    if (failure === null) this.#peerClosed = true;
    else
      this.#host.fail(
        new ConnectionClosedError(false, `the peer ended the connection: ${failure.text} (${failure.code})`),
      );
    this.#host.peerFinished();
  }

  #refused(body: Buffer): void {
    const { reason, text } = parseRefused(body);
    this.#decoder.stop();
    const known: Reason | 'unknown' = isReason(reason) ? reason : 'unknown';
    this.#host.fail(
      new ClientCertificateRefusedError(known, `the server refused our certificate (${reason}): ${text}`),
    );
  }

  // ── answers out ──

  answer(request: ReceivedRequest<In>, result: Out): void {
    if (this.#ended) return;
    let payload: Uint8Array;
    try {
      payload = toBytes(this.#host.framing, result);
      this.#checkSize(payload);
    } catch (error) {
      this.fail(request, error);
      return;
    }
    encodeFrame(Kind.RESPONSE, request.id, payload, this.#host.writer);
    this.sent += 1;
    this.#host.writer.commit();
  }

  /** Only a RequestError's own words cross the wire; what else a handler throws may carry secrets. */
  fail(request: ReceivedRequest<In>, error: unknown): void {
    if (error instanceof RequestError) this.#error(request.id, error.code, error.message);
    else if (error instanceof MessageTooLargeError)
      this.#error(request.id, 'answer-too-large', error.message);
    else this.#error(request.id, 'internal', '');
  }

  idle(): void {
    if (this.#responder.size === 0 && this.#inFlight === 0) this.#host.idle();
  }

  #error(id: number, code: string, text: string): void {
    if (this.#ended) return;
    encodeError(this.#host.writer, id, code, text);
    this.#host.writer.commit();
  }

  #reject(id: number, reason: 'busy' | 'draining', text: string): void {
    if (this.#ended) return;
    encodeRejected(this.#host.writer, id, reason, text);
    this.#host.writer.commit();
  }

  // ── requests out ──

  #ask(payload: Uint8Array, timeout: number, signal: AbortSignal | undefined): Promise<In> {
    const id = ++this.#lastAsked;
    encodeFrame(Kind.REQUEST, id, payload, this.#host.writer);
    this.sent += 1;
    this.#host.writer.commit();
    return this.#pending.wait(id, timeout, signal);
  }

  /** The peer still answers a cancelled request, once, and counts it in flight until then. */
  #cancel(id: number): void {
    this.#abandoned.add(id);
    if (this.#ended) return;
    encodeCancel(this.#host.writer, id);
    this.#host.writer.commit();
  }

  /** A place in flight is free: the next request goes out. */
  #freed(): void {
    const next = this.#queue.next();
    if (next !== undefined) next.start(this.#ask(next.payload, next.timeLeft, next.signal));
    else if (this.#inFlight === 0) this.idle();
  }

  #checkSize(payload: Uint8Array): void {
    const limit = (this.#peer as Peer).maxMessage;
    if (payload.length > limit)
      throw new MessageTooLargeError(payload.length, limit, {
        hint: 'Send less at once, or raise maxMessageBytes on the peer.',
      });
  }
}
