/**
 * knsock/1 on one connection: WELCOME first, requests in both directions, answered in any order, and an announced end.
 * `docs/wire-format.md` gives every rule; the comments here only mark where a rule is applied.
 */
import {
  ClientCertificateRefusedError,
  ConnectionClosedError,
  FramingMismatchError,
  InvalidJsonError,
  ProtocolError,
  RemoteHandlerError,
  RequestNotStartedError,
} from '../errors/index.js';
import { asError } from '../errors/as-error.js';
import { failedCall } from '../errors/call-promise.js';
import { isReason } from '../errors/reason.js';
import {
  CLOSE_CODE,
  encodeCancel,
  encodeClose,
  encodeFrame,
  encodePing,
  encodePong,
  encodeWelcome,
  FrameDecoder,
  Kind,
  parseClose,
  parseError,
  parseRefused,
  parseRejected,
  parseWelcome,
  type FrameSink,
  type Welcome,
} from '../framing/knsock/index.js';
import { copyOf } from '../framing/view.js';
import { encodeFailure, isProgramCode } from './close-frame.js';
import type { CleanEnd, RequestHandler, RequestOptions } from './connection-types.js';
import { IncomingRequests, type IncomingEvents } from './incoming-requests.js';
import { OutgoingRequests, type OutgoingEvents } from './outgoing-requests.js';
import { Pings } from './pings.js';
import type { CloseReason, Protocol, ProtocolHost } from './protocol.js';
import { tooLargeForPeer } from './peer-limit.js';
import { publishMessage } from './traffic-events.js';

/** The token of a PONG that answers no PING: sent as a sign of life by a side that has paused reading. */
const UNASKED = Buffer.alloc(8);

export class KnsockProtocol<In, Out> implements Protocol<In, Out>, FrameSink, IncomingEvents, OutgoingEvents {
  readonly endWords = 'frame';
  readonly refusesMessages = null;
  readonly full = false;
  peerLimit = 0;
  received = 0;
  sent = 0;
  readonly #role: 'client' | 'server';
  readonly #host: ProtocolHost<In, Out>;
  readonly #decoder: FrameDecoder;
  readonly #parse: ((payload: Buffer) => In) | undefined;
  // Many connections carry messages alone: what requests and pings need is created for the first of them.
  #outgoing: OutgoingRequests<In> | null = null;
  #incoming: IncomingRequests<In, Out> | null = null;
  #pings: Pings | null = null;
  #peer: Welcome | null = null;
  #peerClosed: CleanEnd = false;
  #ended = false;
  #goneAway = false;
  #lends = false;

  constructor(host: ProtocolHost<In, Out>, role: 'client' | 'server') {
    this.#role = role;
    this.#host = host;
    this.#decoder = new FrameDecoder({ maxMessageBytes: host.limits.maxMessageBytes });
    this.#parse = host.framing.parse;
  }

  get clean(): CleanEnd {
    return this.#peerClosed;
  }

  get requestsHandled(): number {
    return this.#incoming?.size ?? 0;
  }

  get requestsWorkedOn(): number {
    return this.#incoming?.workedOn ?? 0;
  }

  get requestsWanted(): number {
    return this.#incoming?.wanted ?? 0;
  }

  get requestsWaiting(): number {
    return this.#outgoing?.waiting ?? 0;
  }

  get requestsGivenUp(): number {
    return this.#outgoing?.givenUp ?? 0;
  }

  get maxRequestsWaiting(): number {
    return this.#peer?.maxInFlight ?? 0;
  }

  get copiesNext(): number {
    return this.#decoder.copiesNext;
  }

  start(): void {
    if (this.#role === 'server') this.#welcome();
  }

  handedOut(): void {
    this.#incoming?.resume();
  }

  lend(): boolean {
    this.#lends = this.#parse === undefined; // what a framing makes of a payload may refer to it
    if (this.#lends) this.#decoder.lend();
    return this.#lends;
  }

  push(chunk: Buffer): void {
    this.#decoder.push(chunk, this);
  }

  resume(): void {
    this.#incoming?.resume();
  }

  end(): void {
    if (this.#peerClosed !== true && !this.#decoder.stopped) this.#decoder.end();
    this.#host.peerFinished(this.#peerClosed, null);
  }

  send(payload: Uint8Array): void {
    encodeFrame(Kind.MESSAGE, 0, payload, this.#host.writer);
    this.sent += 1;
    publishMessage(this.#host.connection, 'out', payload.length);
    this.#host.writer.commit();
  }

  check(): void {
    // The peer's limit was checked; every payload within it fits a frame.
  }

  request(payload: Uint8Array, { timeout, signal }: RequestOptions): Promise<In> {
    try {
      if (payload.length > this.peerLimit) {
        throw this.#host.named(tooLargeForPeer(payload.length, this.peerLimit));
      }
      return this.#asking.ask(payload, timeout, signal);
    } catch (error) {
      return failedCall(asError(error), (unheard) => {
        this.#host.unawaited(unheard, 'a request');
      });
    }
  }

  handle(handler: RequestHandler<In, Out>): void {
    this.#handling.handle(handler);
  }

  ping(timeout: number, signal: AbortSignal | undefined): Promise<number> {
    this.#pings ??= this.#newPings();
    return this.#pings.ping(timeout, signal);
  }

  signOfLife(): void {
    if (!this.#ended && this.#peer !== null) this.#pong(UNASKED);
  }

  announceDrain(): void {
    this.#handling.drain();
    this.#outgoing?.refuseMore(() =>
      this.#host.named(new RequestNotStartedError('the connection is draining and takes no new requests')),
    );
  }

  publishDraining(reason: () => Error): void {
    this.#incoming?.publishDraining(reason);
  }

  hurry(reason: Error): void {
    this.#incoming?.cancelAll(reason, 'us');
    const { writer } = this.#host;
    // The answer is still accepted if it arrives.
    this.#outgoing?.hurry((id) => {
      encodeCancel(writer, id);
      writer.commit();
    });
  }

  announceEnd(reason: CloseReason | null): void {
    if (this.#ended) return;
    this.#end();
    const { writer } = this.#host;
    const told = reason !== null && this.#peer?.features.has(CLOSE_CODE) === true;
    if (told) encodeClose(writer, reason);
    else encodeClose(writer);
    writer.commit();
  }

  announceFailure(error: Error, byProgram: boolean): void {
    this.#decoder.stop();
    if (this.#ended) return;
    this.#end();
    encodeFailure(this.#host.writer, error, byProgram);
    this.#host.writer.commit();
  }

  failOutgoing(why: () => Error): void {
    this.#outgoing?.abandon(why);
    this.#pings?.failAll(why);
  }

  cancelIncoming(reason: Error): void {
    this.#incoming?.cancelAll(reason, 'peer');
  }

  abandon(why: () => Error): void {
    this.#decoder.stop();
    this.failOutgoing(why);
    this.#incoming?.abandon(why);
  }

  // ── what requests report ──

  sendRequest(id: number, payload: Uint8Array): void {
    encodeFrame(Kind.REQUEST, id, payload, this.#host.writer);
    this.sent += 1;
    this.#host.writer.commit();
  }

  /** The peer still answers a cancelled request, once. */
  givenUp(id: number): void {
    if (this.#ended) return;
    encodeCancel(this.#host.writer, id);
    this.#host.writer.commit();
  }

  stalled(): string | null {
    return this.#host.stalled();
  }

  requestsDone(): void {
    this.#host.progress();
  }

  answerSent(): void {
    this.sent += 1;
  }

  get #asking(): OutgoingRequests<In> {
    const { sendQueue, limits } = this.#host;
    return (this.#outgoing ??= new OutgoingRequests<In>(sendQueue, this, this.#host, {
      ...limits,
      maxInFlight: this.maxRequestsWaiting,
    }));
  }

  get #handling(): IncomingRequests<In, Out> {
    return (this.#incoming ??= new IncomingRequests<In, Out>(this.#host, this));
  }

  #newPings(): Pings {
    const { writer } = this.#host;
    return new Pings((payload) => {
      encodePing(writer, payload);
      writer.commit();
    }, this.#host);
  }

  /** Nothing may follow our CLOSE. */
  #end(): void {
    this.#ended = true;
    this.#handling.silence();
  }

  // ── frames in ──

  frame(kind: number, id: number, body: Buffer): void {
    if (this.#peer !== null && kind === Kind.MESSAGE) this.#receiveMessage(body);
    else this.#frame(kind, id, this.#lends ? copyOf(body) : body); // only messages are lent
  }

  #frame(kind: number, id: number, body: Buffer): void {
    if (this.#peer === null) this.#firstFrame(kind, body);
    else if (kind === Kind.REQUEST) this.#receiveRequest(id, body);
    else if (kind === Kind.RESPONSE) this.#receiveAnswer(id, body);
    else this.#control(kind, id, body);
  }

  #firstFrame(kind: number, body: Buffer): void {
    if (kind === Kind.REFUSED) this.#refused(body);
    else if (kind === Kind.CLOSE) this.#receiveClose(body);
    else if (kind === Kind.WELCOME) this.#welcomed(body);
    else throw new FramingMismatchError(`the peer's first frame is of kind ${kind} and not a WELCOME`);
  }

  #welcomed(body: Buffer): void {
    this.#peer = parseWelcome(body);
    this.peerLimit = this.#peer.maxMessage;
    if (this.#role === 'client') this.#welcome();
    this.#host.opened();
  }

  #welcome(): void {
    const { maxMessageBytes, maxRequestsInFlight } = this.#host.limits;
    encodeWelcome(this.#host.writer, {
      maxMessage: maxMessageBytes,
      maxInFlight: maxRequestsInFlight,
      features: OUR_FEATURES,
    });
    this.#host.writer.commit();
  }

  #control(kind: number, id: number, body: Buffer): void {
    switch (kind) {
      case Kind.ERROR:
        return this.#receiveError(id, body);
      case Kind.CANCEL:
        return this.#incoming?.cancel(id, () =>
          this.#host.named(new ConnectionClosedError('unknown', 'the request was cancelled by its sender')),
        );
      case Kind.REJECTED:
        return this.#receiveRejected(id, body);
      case Kind.GOAWAY:
        return this.#peerDrains(id);
      case Kind.CLOSE:
        return this.#receiveClose(body);
      case Kind.PING:
        return this.#ended ? undefined : this.#pong(body);
      case Kind.PONG:
        return this.#pings?.pong(body);
      case Kind.REFUSED:
        return this.#refused(body);
      default:
        throw new ProtocolError(`a frame of kind ${kind} has no place here`);
    }
  }

  #receiveMessage(body: Buffer): void {
    this.received += 1;
    publishMessage(this.#host.connection, 'in', body.length);
    this.#host.deliver(this.#parse === undefined ? (body as In) : this.#parse(body), body.length);
  }

  /** One that crosses our CLOSE can't be answered, and isn't started. */
  #receiveRequest(id: number, body: Buffer): void {
    if (this.#ended) return;
    this.received += 1;
    this.#handling.receive(id, body);
  }

  #receiveAnswer(id: number, body: Buffer): void {
    this.received += 1;
    let answer: In;
    try {
      answer = this.#parse === undefined ? (body as In) : this.#parse(body);
    } catch (error) {
      this.#asking.failed(id, () => asError(error));
      if (error instanceof InvalidJsonError) return;
      throw error;
    }
    this.#asking.answered(id, answer);
  }

  #receiveError(id: number, body: Buffer): void {
    const { code, text } = parseError(body);
    this.#asking.failed(id, () =>
      // The message of the peer's handler is left unchanged.
      text === ''
        ? this.#host.named(new RemoteHandlerError(code, `the peer's handler failed (${code})`))
        : new RemoteHandlerError(code, text),
    );
  }

  #receiveRejected(id: number, body: Buffer): void {
    const { reason, text } = parseRejected(body);
    const message = `the peer didn't start the request (${reason}): ${text}`;
    this.#asking.failed(id, () => this.#host.named(new RequestNotStartedError(message)));
  }

  /** A second GOAWAY is an error: it could exclude requests that the first one allowed. */
  #peerDrains(lastId: number): void {
    if (this.#goneAway) throw new ProtocolError('GOAWAY came a second time');
    this.#goneAway = true;
    this.#asking.peerDrains(lastId);
    this.#host.peerDraining();
  }

  #pong(token: Buffer): void {
    encodePong(this.#host.writer, token);
    this.#host.writer.commit();
  }

  #receiveClose(body: Buffer): void {
    const close = parseClose(body);
    this.#decoder.stop();
    const isClean =
      close === null || (this.#peer?.features.has(CLOSE_CODE) === true && isProgramCode(close.code));
    if (isClean) {
      this.#peerClosed = true;
      this.#host.peerFinished(true, close);
      return;
    }
    const words = close.text === '' ? '' : `: ${close.text}`;
    const message = `the peer ended the connection${words} (${close.code})`;
    this.#host.fail(new ConnectionClosedError(false, message), false);
  }

  #refused(body: Buffer): void {
    const { reason, text } = parseRefused(body);
    this.#decoder.stop();
    const said = `refused our certificate (${reason}): ${text}`;
    this.#host.fail(
      this.#role === 'client'
        ? new ClientCertificateRefusedError(isReason(reason) ? reason : 'unknown', `the server ${said}`)
        : new ConnectionClosedError(false, `the client ${said}`),
      false,
    );
  }
}

/** What we announce beside our limits. */
const OUR_FEATURES = new Map([[CLOSE_CODE, Buffer.alloc(0)]]);
