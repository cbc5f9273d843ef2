/** What a program sees of a connection; the same for client, server and pool. */
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { Payload } from '../framing/framing.js';
import type { Endpoint, ProxyInfo } from '../transport/proxy-header.js';
import type { PeerIdentity } from '../transport/peer-identity.js';
import type { TlsInfo } from '../transport/tls-facts.js';
import type { LendOptions, LentMessageListener } from './lending.js';
import type { MessageListener } from './receive-queue.js';

/** Whether the end was announced by the peer; `'unknown'` where the framing has no way to say so. */
export type CleanEnd = true | false | 'unknown';

/** How a connection ended. */
export interface ClosedInfo {
  /** Whether the peer ended it by the rules, so that nothing was cut off. */
  readonly clean: CleanEnd;
  /** Why it ended, where it didn't end gracefully; always set where `clean` is false. */
  readonly error?: Error;
  /** The peer's code, where it ended by `close({ code, text })`. */
  readonly code?: string;
  /** A message for people, beside the code. */
  readonly text?: string;
  /** Bytes that `write`, `send` and others had accepted and the system never took; absent where there were none. */
  readonly unsentBytes?: number;
}

/** Options of `close`. */
export interface CloseOptions {
  /** Milliseconds until what is in flight is cut off; default `drainTimeout`. */
  deadline?: number | undefined;
  /**
   * What the peer's `closed` reports, on the knsock framing: 1 to 64 characters of printable ASCII. Codes that begin with
   * `KNSOCK_` are reserved. Peers that don't know such codes see an end without one.
   */
  code?: string | undefined;
  /** A message for people, beside a code. */
  text?: string | undefined;
}

/** Counters of one connection; sizes are bytes of TLS payload, framing included. */
export interface ConnectionStats {
  /** Messages, requests and answers that were received. */
  readonly messagesReceived: number;
  /** Messages, requests and answers that were sent. */
  readonly messagesSent: number;
  /** Bytes inside TLS that were received. */
  readonly bytesReceived: number;
  /** Bytes inside TLS that were sent. */
  readonly bytesSent: number;
  /** Bytes accepted by this library and not yet by the system. */
  readonly queuedBytes: number;
  /** Bytes received and not yet read by the program, plus 128 for each message. */
  readonly heldBytes: number;
  /**
   * Messages given to `write` or `post` that were not accepted: the connection had ended, `maxQueuedBytes` were waiting, or
   * they were too large for the peer.
   */
  readonly messagesDropped: number;
  /** The peer's requests being handled here. */
  readonly requestsHandled: number;
  /** Our requests waiting for their answer. */
  readonly requestsWaiting: number;
  /** Of those, cancelled or timed out here: their late answers are dropped, and until then they count at the peer. */
  readonly requestsGivenUp: number;
  /** How many requests the peer handles at once; 1 on framings without ids. */
  readonly maxRequestsWaiting: number;
}

/** Options of `request`. */
export interface RequestOptions {
  /** Cancels the request; on framings without ids that ends the connection. */
  signal?: AbortSignal | undefined;
  /** How long the answer may take, in milliseconds; default `requestTimeout`. */
  timeout?: number | undefined;
  /** Allows a pool to send it again although the peer may have executed it; a connection alone never does. */
  idempotent?: boolean | undefined;
}

/** What a request handler receives. */
export interface IncomingRequest<In = Buffer, Out = Payload> {
  /** The payload. */
  readonly payload: In;
  /** Who sent it; null where no certificate was requested or shown. */
  readonly peer: PeerIdentity | null;
  /**
   * Fires when the requesting side cancels or ends, or the connection does. Where this side drains it fires once two thirds
   * of the deadline are over: an answer that comes soon after is still sent.
   */
  readonly signal: AbortSignal;
  /** Fires when either side announces the connection's end: finish soon. */
  readonly draining: AbortSignal;
  /** The connection that it was received on. */
  readonly connection: SecureConnection<In, Out>;
}

/** Answers the peer's requests; throw `RequestError` to answer with your own code and message. */
export type RequestHandler<In, Out> = (request: IncomingRequest<In, Out>) => Out | Promise<Out>;

/**
 * A TLS connection whose peer was verified and admitted. Payloads received never change and are never shared with
 * another connection. Times are milliseconds.
 */
export interface SecureConnection<In = Buffer, Out = Payload> extends AsyncIterable<In>, AsyncDisposable {
  /** Unique within this process. */
  readonly id: number;
  /** Who the peer proved to be; null where it showed no certificate. */
  readonly peer: PeerIdentity | null;
  /** Version, suite, ALPN and whether it was resumed. */
  readonly tls: TlsInfo;
  /** The other end's address; the real client's where a trusted proxy reported it; null on a Unix socket. */
  readonly remote: Endpoint | null;
  /** What a trusted proxy reported by the PROXY protocol; null without one. */
  readonly proxy: ProxyInfo | null;
  /**
   * Resolves, and never rejects, once the connection is gone. A handler that awaits it, and has taken no message since,
   * counts as waiting for the end only and doesn't hold the connection open.
   */
  readonly closed: Promise<ClosedInfo>;
  /** Fires, with the reason, when the connection is about to end: `close()` was called on it, the peer ended, or it failed. */
  readonly signal: AbortSignal;
  /** `'draining'` once either side has announced its end: work in flight finishes, new requests are refused. */
  readonly state: 'open' | 'draining' | 'closed';
  /** The socket underneath: the escape hatch. What is read from or written to it bypasses the framing. */
  readonly socket: TLSSocket;
  /** Counters since it was opened. */
  stats(): ConnectionStats;
  /**
   * Sends a message; resolves when it is accepted in order under back-pressure. Delivery isn't guaranteed. A failure that
   * no caller awaits goes to `onError`.
   * @throws MessageTooLargeError, ConnectionClosedError; the signal's reason when aborted before it was accepted
   */
  send(payload: Out, options?: { signal?: AbortSignal | undefined }): Promise<void>;
  /**
   * As `send`, without a promise per message: false means to wait for `ready()`. What the peer doesn't take is dropped and
   * counted in `stats()`: it has ended, takes no message of that size, or reads so slowly that `maxQueuedBytes` wait
   * already. The last is reported to `onError` (KNSOCK_QUEUE_FULL), once until there is room again.
   * @throws InvalidOptionError, ProtocolError for what can't be sent to any peer
   */
  write(payload: Out): boolean;
  /** As `write`, for messages that may be lost: false means that it was not accepted, and is never sent. */
  post(payload: Out): boolean;
  /** Resolves when there is room to write; rejects once the connection has ended. */
  ready(): Promise<void>;
  /**
   * Takes every message from now on; a listener that throws or rejects ends the connection. With `lend` a message is valid
   * only until the listener returns, and then the listener mustn't be asynchronous.
   * @throws EasySocketError KNSOCK_CONSUMED where the messages have a consumer already; InvalidOptionError
   */
  onMessage(listener: MessageListener<In>): void;
  onMessage(listener: LentMessageListener<In>, options: LendOptions): void;
  /** The next message; null at the peer's end. */
  receive(options?: { signal?: AbortSignal | undefined; timeout?: number | undefined }): Promise<In | null>;
  /**
   * Sends a request, and resolves with the answer. On framings without ids answers come in the order of the requests, and a
   * request that is aborted or times out ends the connection.
   * @throws RequestNotStartedError where the peer provably never started it; RemoteHandlerError; ConnectionTimeoutError
   */
  request(payload: Out, options?: RequestOptions): Promise<In>;
  /**
   * Answers the peer's requests from now on. Set in the same turn as the connection is handed out, it receives the first one.
   * @throws EasySocketError KNSOCK_CONSUMED where a handler was set before
   */
  onRequest(handler: RequestHandler<In, Out>): void;
  /** Called once when either side announces its end. */
  onDraining(listener: () => void): void;
  /** Sends a PING and waits for the PONG; the round trip in milliseconds. On the knsock framing only. */
  ping(options?: { signal?: AbortSignal | undefined; timeout?: number | undefined }): Promise<number>;
  /** Holds messages back; the protocol's own frames are still handled. */
  pause(): void;
  /** Ends what `pause()` began. */
  resume(): void;
  /** The raw bytes as a Node stream, which takes over the connection; on the raw framing only. Half-closes both ways. */
  stream(): Duplex;
  /**
   * Joins the connection with another stream: bytes, back-pressure and half-closes are relayed in both directions, faster
   * than through `stream()`; on the raw framing only. A side that is cut off cuts off the other too, and there is no
   * `sendTimeout`: a slow reader delays only its partner. Resolves when both have ended.
   */
  relay(other: Duplex | SecureConnection): Promise<void>;
  /**
   * Announces the end, waits for requests in flight in both directions, then ends; after the deadline (default `drainTimeout`)
   * cuts it off. Handlers and listeners may await it; a request's handler answers first. `server.close()` waits for them too.
   */
  close(options?: CloseOptions): Promise<void>;
  /** Ends at once; the reason isn't sent to the peer. */
  destroy(error?: Error): void;
}
