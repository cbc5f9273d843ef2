/**
 * knsock/1 on one connection: WELCOME first, requests both ways answered in any order, an end that is announced.
 * `docs/wire-format.md` gives every rule; the comments here say only where one is kept.
 */
import {
  ClientCertificateRefusedError,
  ConnectionClosedError,
  FramingMismatchError,
  MessageTooLargeError,
  ProtocolError,
} from '../errors/index.js';
import { asError } from '../errors/as-error.js';
import { isReason } from '../errors/reason.js';
import {
  encodeFrame,
  encodePing,
  encodePong,
  encodeWelcome,
  FrameDecoder,
  Kind,
  parseClose,
  parseRefused,
  parseWelcome,
  type FrameSink,
} from '../framing/knsock/index.js';
import { AskedRequests } from './asked-requests.js';
import type { Exchange, ExchangeHost, RequestEvents } from './exchange.js';
import { HandledRequests } from './handled-requests.js';
import { encodeLastWords } from './last-words.js';
import { Pings } from './pings.js';
import type { CleanEnd, RequestHandler, RequestOptions } from './secure-connection.js';
import { tellMessage } from './tell-traffic.js';

type Peer = { maxMessage: number; maxInFlight: number };

export class KnsockExchange<In, Out> implements Exchange<In, Out>, FrameSink, RequestEvents {
  received = 0;
  sent = 0;
  readonly #role: 'client' | 'server';
  readonly #host: ExchangeHost<In, Out>;
  readonly #decoder: FrameDecoder;
  readonly #parse: ((payload: Buffer) => In) | undefined;
  // Many connections carry messages alone: what requests and pings need is made for the first of them.
  #asked: AskedRequests<In> | null = null;
  #handled: HandledRequests<In, Out> | null = null;
  #pings: Pings | null = null;
  #peer: Peer | null = null;
  #peerClosed: CleanEnd = false;
  #ended = false;
  #goneAway = false;

  constructor(host: ExchangeHost<In, Out>, role: 'client' | 'server') {
    this.#role = role;
    this.#host = host;
    this.#decoder = new FrameDecoder({ maxMessageBytes: host.limits.maxMessageBytes });
    this.#parse = host.framing.parse;
  }

  get clean(): CleanEnd {
    return this.#peerClosed;
  }

  get requestsHandled(): number {
    return this.#handled?.size ?? 0;
  }

  get requestsWaiting(): number {
    return this.#asked?.waiting ?? 0;
  }

  get requestsGivenUp(): number {
    return this.#asked?.givenUp ?? 0;
  }

  get maxRequestsWaiting(): number {
    return this.#peer?.maxInFlight ?? 0;
  }

  get full(): boolean {
    return false;
  }

  get copiesNext(): number {
    return this.#decoder.copiesNext;
  }

  start(): void {
    if (this.#role === 'server') this.#welcome();
  }

  push(chunk: Buffer): void {
    this.#decoder.push(chunk, this);
  }

  resume(): void {
    this.#handled?.resume();
  }

  end(): void {
    if (this.#peerClosed !== true) {
      this.#decoder.end();
      // Whoever leaves without CLOSE waits for no answer: handlers may stop.
      this.#handled?.cancelAll(new ConnectionClosedError(false, 'the peer left without saying so'));
    }
    this.#host.peerFinished();
  }

  send(payload: Uint8Array): void {
    this.checkSize(payload);
    encodeFrame(Kind.MESSAGE, 0, payload, this.#host.writer);
    this.sent += 1;
    tellMessage(this.#host.connection, 'out', payload.length);
    this.#host.writer.commit();
  }

  check(payload: Uint8Array): void {
    this.checkSize(payload);
  }

  request(payload: Uint8Array, options: RequestOptions): Promise<In> {
    try {
      this.checkSize(payload);
    } catch (error) {
      return Promise.reject(asError(error));
    }
    return this.#asking.ask(payload, options);
  }

  handle(handler: RequestHandler<In, Out>): void {
    this.#handling.handler = handler;
  }

  ping(timeout: number, signal: AbortSignal | undefined): Promise<number> {
    this.#pings ??= this.#newPings();
    return this.#pings.ping(timeout, signal);
  }

  announceDrain(): void {
    this.#handling.drain();
    this.#asked?.refuseMore('the connection is draining and takes no new requests');
  }

  announceEnd(error: Error | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#handling.silence();
    encodeLastWords(this.#host.writer, error);
    this.#host.writer.commit();
  }

  abandon(why: () => Error): void {
    this.#decoder.stop();
    this.#asked?.abandon(why());
    this.#pings?.failAll(why());
    this.#handled?.abandon(why);
  }

  // ── requests and pings ──

  requestSent(): void {
    this.sent += 1;
  }

  requestsDone(): void {
    if (this.requestsHandled === 0 && this.requestsWaiting === 0) this.#host.idle();
  }

  checkSize(payload: Uint8Array): void {
    const limit = (this.#peer as Peer).maxMessage;
    if (payload.length > limit)
      throw new MessageTooLargeError(payload.length, limit, {
        hint: 'Send less at once, or raise maxMessageBytes on the peer.',
      });
  }

  get #asking(): AskedRequests<In> {
    return (this.#asked ??= new AskedRequests<In>(this.#host, this, this.maxRequestsWaiting));
  }

  get #handling(): HandledRequests<In, Out> {
    return (this.#handled ??= new HandledRequests<In, Out>(this.#host, this));
  }

  #newPings(): Pings {
    const { writer } = this.#host;
    return new Pings((payload) => {
      encodePing(writer, payload);
      writer.commit();
    });
  }

  // ── frames in ──

  frame(kind: number, id: number, body: Buffer): void {
    if (this.#peer === null) this.#firstFrame(kind, body);
    else if (kind === Kind.MESSAGE) this.#receiveMessage(body);
    else if (kind === Kind.REQUEST) {
      this.received += 1;
      this.#handling.receive(id, body);
    } else if (kind === Kind.RESPONSE) {
      this.received += 1;
      this.#asking.answered(id, body);
    } else this.#control(kind, id, body);
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
        return this.#asking.failed(id, body);
      case Kind.CANCEL:
        return this.#handled?.cancel(
          id,
          new ConnectionClosedError('unknown', 'the request was cancelled by its sender'),
        );
      case Kind.REJECTED:
        return this.#asking.rejected(id, body);
      case Kind.GOAWAY:
        return this.#peerDrains(id);
      case Kind.CLOSE:
        return this.#receiveClose(body);
      case Kind.PING:
        return this.#pong(body);
      case Kind.PONG:
        return this.#pings?.pong(body);
      case Kind.REFUSED:
        return this.#refused(body);
      default:
        throw new ProtocolError(`a frame of kind ${kind} has no place here`);
    }
  }

  /** What the first GOAWAY let the peer start can't have been left undone by a second. */
  #peerDrains(lastId: number): void {
    if (this.#goneAway) throw new ProtocolError('GOAWAY came a second time');
    this.#goneAway = true;
    this.#asking.peerDrains(lastId);
    this.#host.peerDraining();
  }

  /** Behind our CLOSE nothing may follow. */
  #pong(token: Buffer): void {
    if (this.#ended) return;
    encodePong(this.#host.writer, token);
    this.#host.writer.commit();
  }

  #receiveMessage(body: Buffer): void {
    this.received += 1;
    tellMessage(this.#host.connection, 'in', body.length);
    this.#host.deliver(this.#parse === undefined ? (body as In) : this.#parse(body), body.length);
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
    const said = `refused our certificate (${reason}): ${text}`;
    this.#host.fail(
      this.#role === 'client'
        ? new ClientCertificateRefusedError(isReason(reason) ? reason : 'unknown', `the server ${said}`)
        : new ConnectionClosedError(false, `the client ${said}`),
    );
  }
}
