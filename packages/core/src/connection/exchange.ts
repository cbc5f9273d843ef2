/**
 * What a connection exchanges, above bytes: messages, requests and their answers. Two implementations: `FifoExchange`
 * carries messages to anything that speaks their framing; `KnsockExchange` speaks knsock/1 (`docs/wire-format.md`).
 */
import type { Framing } from '../framing/framing.js';
import type { Limits } from '../policy/limits.js';
import type { CleanEnd, RequestHandler, RequestOptions, SecureConnection } from './secure-connection.js';
import type { Writer } from './writer.js';

/** What an exchange needs of its connection. */
export interface ExchangeHost<In, Out> {
  readonly framing: Framing<In, Out>;
  readonly limits: Limits;
  readonly writer: Writer;
  /** The connection as its program sees it. */
  readonly connection: SecureConnection<In, Out>;
  /** Whether the peer leaves more of what we send unread than may wait: nothing that makes more is begun. */
  readonly overfull: boolean;
  /** A message for the program arrived. */
  deliver(message: In, bytes: number): void;
  /** Both sides may send now. */
  opened(): void;
  /** Nothing is in flight any more. */
  idle(): void;
  /** There is room for more input again. */
  relieved(): void;
  /** The peer takes no new requests. */
  peerDraining(): void;
  /** The peer will send nothing more. */
  peerFinished(): void;
  /** The connection can't go on. */
  fail(error: Error): void;
}

/** What the two directions of requests tell the exchange that they are a part of. */
export interface RequestEvents {
  /** A request or an answer was sent. */
  requestSent(): void;
  /** No request of a direction is in flight any more. */
  requestsDone(): void;
  /** @throws MessageTooLargeError for what the peer doesn't take */
  checkSize(payload: Uint8Array): void;
}

export interface Exchange<In, Out> {
  /** Whether the peer announced its end. */
  readonly clean: CleanEnd;
  readonly requestsHandled: number;
  readonly requestsWaiting: number;
  /** Of those that wait: given up here, and not yet answered by the peer. */
  readonly requestsGivenUp: number;
  readonly maxRequestsWaiting: number;
  /** Whether more input would have to be kept in memory. */
  readonly full: boolean;
  /** How many of the next bytes `push` copies out of their chunk. */
  readonly copiesNext: number;
  /** Messages and requests received and sent, for `stats()`. */
  readonly received: number;
  readonly sent: number;
  start(): void;
  /** The peer reads again: what was not begun is begun. */
  resume(): void;
  /** @throws ProtocolError */
  push(chunk: Buffer): void;
  /** The peer's bytes ended. @throws TruncatedMessageError */
  end(): void;
  send(payload: Uint8Array): void;
  /** @throws ProtocolError where `send` would, and sends nothing */
  check(payload: Uint8Array): void;
  request(payload: Uint8Array, options: RequestOptions): Promise<In>;
  handle(handler: RequestHandler<In, Out>): void;
  ping(timeout: number, signal: AbortSignal | undefined): Promise<number>;
  /** Says that we take no new requests. */
  announceDrain(): void;
  /** Says that we send nothing more; with an error, why (a refusal where the peer isn’t trusted any more). */
  announceEnd(error: Error | undefined): void;
  /** The connection is gone: nothing will be answered. @param why made only where somebody waits to hear it */
  abandon(why: () => Error): void;
}
