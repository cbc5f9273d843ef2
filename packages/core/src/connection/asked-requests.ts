/**
 * Our requests on a knsock/1 connection: numbered, sent as far as the peer works on them at once, answered in any order.
 */
import {
  InvalidJsonError,
  ProtocolError,
  RemoteHandlerError,
  RequestNotStartedError,
} from '../errors/index.js';
import { encodeCancel, encodeFrame, Kind, parseError, parseRejected } from '../framing/knsock/index.js';
import type { ExchangeHost, RequestEvents } from './exchange.js';
import { PendingRequests } from './pending-requests.js';
import { RequestQueue } from './request-queue.js';
import type { RequestOptions } from './secure-connection.js';

export class AskedRequests<In> {
  readonly #host: ExchangeHost<In, never>;
  readonly #events: RequestEvents;
  readonly #maxInFlight: number;
  readonly #pending: PendingRequests<In>;
  readonly #queue: RequestQueue<In>;
  /** Given up here; the peer counts them as in flight until it answers. */
  readonly #abandoned = new Set<number>();
  /** Left out by a GOAWAY; their REJECTED may still be on its way. */
  readonly #leftOut = new Set<number>();
  #lastId = 0;
  /** Why no more are taken; null while they are. */
  #refusal: string | null = null;

  /** @param maxInFlight how many requests the peer works on at once */
  constructor(host: ExchangeHost<In, never>, events: RequestEvents, maxInFlight: number) {
    this.#host = host;
    this.#events = events;
    this.#maxInFlight = maxInFlight;
    this.#queue = new RequestQueue(host.limits.maxQueuedBytes);
    this.#pending = new PendingRequests((id) => {
      this.#cancel(id);
    });
  }

  /** Requests without an answer, those held back included. */
  get waiting(): number {
    return this.#inFlight + this.#queue.length;
  }

  /** Cancelled or timed out, and not yet answered by the peer. */
  get givenUp(): number {
    return this.#abandoned.size;
  }

  get #inFlight(): number {
    return this.#pending.size + this.#abandoned.size;
  }

  ask(
    payload: Uint8Array,
    { timeout = this.#host.limits.requestTimeout, signal }: RequestOptions,
  ): Promise<In> {
    if (this.#refusal !== null) return Promise.reject(new RequestNotStartedError(this.#refusal));
    if (this.#inFlight >= this.#maxInFlight) return this.#queue.add(payload, timeout, signal);
    return this.#send(payload, timeout, signal);
  }

  answered(id: number, body: Buffer): void {
    if (!this.#pending.has(id)) {
      this.#late(id);
      return;
    }
    const { parse } = this.#host.framing;
    try {
      this.#pending.settle(id, parse === undefined ? (body as In) : parse(body));
    } catch (error) {
      if (!(error instanceof InvalidJsonError)) throw error;
      this.#pending.fail(id, error);
    }
    this.#freed();
  }

  failed(id: number, body: Buffer): void {
    const { code, text } = parseError(body);
    this.#fail(
      id,
      () => new RemoteHandlerError(code, text === '' ? `the peer’s handler failed (${code})` : text),
    );
  }

  rejected(id: number, body: Buffer): void {
    const { reason, text } = parseRejected(body);
    this.#fail(
      id,
      () => new RequestNotStartedError(`the peer didn’t start the request (${reason}): ${text}`),
    );
  }

  /** The peer starts no request above `lastId`: those are safe to send again elsewhere. */
  peerDrains(lastId: number): void {
    this.refuseMore('the peer is draining and didn’t start the request');
    for (const id of this.#abandoned) if (id > lastId && this.#abandoned.delete(id)) this.#leftOut.add(id);
    this.#pending.failWhere(
      (id) => id > lastId,
      (id) => {
        this.#leftOut.add(id);
        return new RequestNotStartedError('the peer is draining and didn’t start the request');
      },
    );
    if (this.#inFlight === 0) this.#events.requestsDone();
  }

  /** From now on no request is taken, and those held back are given up unsent. */
  refuseMore(why: string): void {
    this.#refusal ??= why;
    this.#queue.failAll(() => new RequestNotStartedError(why));
  }

  /** The connection is gone. */
  abandon(error: Error): void {
    const why = 'the connection ended before the request was sent';
    this.#refusal ??= why;
    this.#queue.failAll(() => new RequestNotStartedError(why, { cause: error }));
    this.#pending.failAll(error);
    this.#abandoned.clear();
  }

  #send(payload: Uint8Array, timeout: number, signal: AbortSignal | undefined): Promise<In> {
    const id = ++this.#lastId;
    encodeFrame(Kind.REQUEST, id, payload, this.#host.writer);
    this.#events.requestSent();
    this.#host.writer.commit();
    return this.#pending.wait(id, timeout, signal);
  }

  /** The peer still answers a cancelled request, once. */
  #cancel(id: number): void {
    this.#abandoned.add(id);
    encodeCancel(this.#host.writer, id);
    this.#host.writer.commit();
  }

  #fail(id: number, error: () => Error): void {
    if (!this.#pending.has(id)) {
      this.#late(id);
      return;
    }
    this.#pending.fail(id, error());
    this.#freed();
  }

  /** An answer to a request that was given up is nobody's; one to a request never asked breaks the protocol. */
  #late(id: number): void {
    if (this.#leftOut.delete(id)) return;
    if (!this.#abandoned.delete(id))
      throw new ProtocolError(`an answer came to request ${id}, which isn’t in flight`);
    this.#freed();
  }

  /** A place in flight is free: the next request goes out. */
  #freed(): void {
    const next = this.#queue.next();
    if (next !== undefined) next.start(this.#send(next.payload, next.timeLeft, next.signal));
    else if (this.#inFlight === 0) this.#events.requestsDone();
  }
}
