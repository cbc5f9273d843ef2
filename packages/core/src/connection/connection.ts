/** A connection as its program sees it; the core does the work inside. */
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { asError } from '../errors/as-error.js';
import { FramingMismatchError, RequestNotStartedError } from '../errors/index.js';
import { toBytes } from '../framing/framing.js';
import { wrongOptions } from '../options/index.js';
import type { ByteStream } from '../transport/byte-stream.js';
import type { PeerIdentity } from '../transport/peer-identity.js';
import type { Endpoint, ProxyInfo } from '../transport/proxy-header.js';
import type { TlsInfo } from '../transport/tls-facts.js';
import * as calls from './call-options.js';
import { closeReason, wrongReason } from './close-frame.js';
import { holdersOf, watchClose, type Holders } from './close-watch.js';
import { ConnectionCore, type CoreOwner, type CoreSettings } from './connection-core.js';
import type {
  ClosedInfo,
  CloseOptions,
  ConnectionStats,
  RequestHandler,
  RequestOptions,
  SecureConnection,
} from './connection-types.js';
import { abortedCall, failedCall, reportUnawaited } from '../errors/call-promise.js';
import { tooLargeForPeer } from './peer-limit.js';
import { openStream, type EarlyStream } from './raw-stream.js';
import { lendingOf, type LendOptions, type LentMessageListener } from './lending.js';
import type { MessageListener } from './receive-queue.js';
import { joinConnections, joinStream } from './relay.js';
import { followAsked } from './traffic-events.js';

/** Everything that a connection is made of; every value is set. */
export interface ConnectionSettings<In, Out> extends CoreSettings<In, Out> {
  readonly peer: PeerIdentity | null;
  readonly tls: TlsInfo;
  readonly socket: TLSSocket;
  /** The other end's address, the real client's where a proxy reported it. */
  readonly remote: Endpoint | null;
  /** What a trusted proxy reported of the client. */
  readonly proxy: ProxyInfo | null;
}

let lastId = 0;

export class Connection<In, Out> implements CoreOwner<In, Out> {
  readonly id = ++lastId;
  readonly peer: PeerIdentity | null;
  readonly tls: TlsInfo;
  readonly socket: TLSSocket;
  readonly proxy: ProxyInfo | null;
  readonly remote: Endpoint | null;
  /** The Unix socket that it came by; null on TCP. */
  readonly path: string | null;
  readonly #core: ConnectionCore<In, Out>;
  #closing: Promise<void> | null = null;
  #forget: ((connection: this) => void) | null = null;
  #stream: Duplex | null = null;

  constructor(stream: ByteStream, settings: ConnectionSettings<In, Out>) {
    this.peer = settings.peer;
    this.tls = settings.tls;
    this.socket = settings.socket;
    this.proxy = settings.proxy;
    this.remote = settings.remote;
    this.path = settings.path ?? null;
    this.#core = new ConnectionCore(stream, settings, this);
  }

  /**
   * Starts the protocol. Null where both sides may send at once; else resolves once they may. A client's program has the turn
   * after that to set its handlers.
   */
  open(): Promise<void> | null {
    const opening = this.#core.start();
    if (this.#core.role === 'server') return opening;
    const opened = (): void => void setImmediate(handedOut, this.#core);
    if (opening !== null) return opening.then(opened);
    opened();
    return null;
  }

  get closed(): Promise<ClosedInfo> {
    return this.#core.closed;
  }

  /** As `closed`, for the owner of this connection: called at once, and without a promise. */
  whenGone(forget: (connection: this) => void): void {
    if (this.#core.isGone) forget(this);
    else this.#forget = forget;
  }

  gone(): void {
    this.#forget?.(this);
  }

  get state(): 'open' | 'draining' | 'closed' {
    return this.#core.ending.state;
  }

  get signal(): AbortSignal {
    return this.#core.ending.signal;
  }

  stats(): ConnectionStats {
    const { protocol, stream, sendQueue, receiveQueue, bytesReceived, messagesDropped } = this.#core;
    return {
      messagesReceived: protocol.received,
      messagesSent: protocol.sent,
      messagesDropped,
      bytesReceived,
      bytesSent: stream.bytesWritten,
      queuedBytes: sendQueue.queuedBytes,
      heldBytes: receiveQueue.heldBytes,
      requestsHandled: protocol.requestsHandled,
      requestsWaiting: protocol.requestsWaiting,
      requestsGivenUp: protocol.requestsGivenUp,
      maxRequestsWaiting: protocol.maxRequestsWaiting,
    };
  }

  // ── messages ──

  write(payload: Out): boolean {
    const bytes = this.#payload(payload);
    const refused = this.#refusedByPeer(bytes);
    if (refused === null) return this.#core.sendQueue.write(bytes);
    this.#core.messagesDropped += 1;
    return false;
  }

  post(payload: Out): boolean {
    const bytes = this.#payload(payload);
    const isTaken = this.#refusedByPeer(bytes) === null && this.#core.sendQueue.post(bytes);
    if (!isTaken) this.#core.messagesDropped += 1;
    return isTaken;
  }

  send(payload: Out, options?: calls.SendOptions): Promise<void> {
    const core = this.#core;
    const wrong = wrongOptions(options, calls.sendOptions);
    if (wrong !== undefined) return this.#failed(wrong, 'a send');
    const signal = options?.signal;
    if (signal?.aborted === true) return abortedCall(signal);
    try {
      const bytes = this.#payload(payload);
      const refused = this.#refusedByPeer(bytes);
      if (refused !== null) return this.#failed(refused, 'a send');
      if (core.sendQueue.congested) return core.lateSends.send(bytes, signal);
      core.sendQueue.write(bytes);
      return Promise.resolve();
    } catch (error) {
      return this.#failed(asError(error), 'a send');
    }
  }

  ready(): Promise<void> {
    const core = this.#core;
    // Nothing is lost where no caller waits for room.
    if (!core.ending.maySend) return failedCall(core.goneError, () => undefined);
    return core.sendQueue.ready();
  }

  onMessage(listener: MessageListener<In>): void;
  onMessage(listener: LentMessageListener<In>, options: LendOptions): void;
  onMessage(listener: MessageListener<never>, options?: LendOptions): void {
    calls.demandFunction('listener', listener);
    const wrong = wrongOptions(options, calls.lendOptions);
    if (wrong !== undefined) throw wrong;
    this.#core.onMessage(listener as MessageListener<In>, lendingOf(options));
  }

  receive(options?: calls.WaitOptions): Promise<In | null> {
    const wrong = wrongOptions(options, calls.waitOptions);
    if (wrong !== undefined) return this.#failed(wrong, 'a receive');
    return this.#core.receiveQueue.receive(options?.signal, options?.timeout);
  }

  [Symbol.asyncIterator](): AsyncIterator<In> {
    return this.#core.receiveQueue.iterate();
  }

  pause(): void {
    this.#core.receiveQueue.pause();
  }

  resume(): void {
    this.#core.receiveQueue.resume();
    this.#core.reading.resume();
  }

  // ── requests ──

  request(payload: Out, options?: RequestOptions): Promise<In> {
    const core = this.#core;
    const wrong = wrongOptions(options, calls.requestOptions);
    if (wrong !== undefined) return this.#failed(wrong, 'a request');
    if (options?.signal?.aborted === true) return abortedCall(options.signal);
    if (!core.ending.mayAsk) {
      const cause = core.goneError;
      const message = `the request was not sent: ${cause.message}`;
      return this.#failed(core.named(new RequestNotStartedError(message, { cause })), 'a request');
    }
    try {
      return followAsked(this, core.protocol.request(toBytes(core.framing, payload), options ?? NO_OPTIONS));
    } catch (error) {
      return this.#failed(asError(error), 'a request');
    }
  }

  onRequest(handler: RequestHandler<In, Out>): void {
    calls.demandFunction('handler', handler);
    this.#core.protocol.handle(handler);
  }

  ping(options?: calls.WaitOptions): Promise<number> {
    const core = this.#core;
    const wrong = wrongOptions(options, calls.waitOptions);
    if (wrong !== undefined) return this.#failed(wrong, 'a ping');
    if (!core.mayAnswer) return this.#failed(core.goneError, 'a ping');
    return core.protocol.ping(options?.timeout ?? core.limits.requestTimeout, options?.signal);
  }

  // ── raw bytes ──

  /** @param early filled with the bytes, where no stream has taken them yet */
  stream(early?: EarlyStream): Duplex {
    this.#demandRaw('stream()');
    return (this.#stream ??= openStream(this.#core, early));
  }

  relay(other: Duplex | SecureConnection): Promise<void> {
    const unawaited = (error: Error): void => {
      this.#core.unawaited(error, 'a relay');
    };
    try {
      const core = this.#relayed();
      const joined =
        other instanceof Connection
          ? joinConnections(core, (other as Connection<In, Out>).#relayed())
          : joinStream(core, other);
      return reportUnawaited(joined, unawaited);
    } catch (error) {
      return failedCall(asError(error), unawaited);
    }
  }

  #demandRaw(who: string): void {
    const { name } = this.#core.framing;
    if (name === 'raw') return;
    const message = `${who} needs the raw framing; this connection speaks ${name}`;
    throw this.#core.named(new FramingMismatchError(message));
  }

  #relayed(): ConnectionCore<In, Out> {
    this.#demandRaw('relay()');
    if (this.#core.isGone) throw this.#core.goneError;
    return this.#core;
  }

  // ── ending ──

  onDraining(listener: () => void): void {
    calls.demandFunction('listener', listener);
    this.#core.onDraining(listener);
  }

  close(options?: CloseOptions): Promise<void> {
    const wrong = wrongOptions(options, calls.closeOptions) ?? wrongReason(options);
    if (wrong !== undefined) return this.#failed(wrong, 'a close');
    const wait = options?.deadline ?? this.#core.limits.drainTimeout;
    const reason = closeReason(options);
    if (this.#closing === null)
      void this.#core.ending.closed.then(watchClose('connection.close()', wait, () => [this.holders(true)]));
    this.#core.ending.close(wait, 'program', reason);
    return this.#ended();
  }

  /** What of the program a graceful close waits for. @param byProgram whether the program itself closed it */
  holders(byProgram: boolean): Holders {
    return holdersOf(this.#core, this, byProgram);
  }

  /** As `close`, where the program didn't call it: its handler and listeners get the time to finish. */
  retire(deadline: number): Promise<void> {
    this.#core.ending.close(deadline, 'library', null);
    return this.#ended();
  }

  #ended(): Promise<void> {
    return (this.#closing ??= this.#core.ending.closed.then(() => undefined));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  destroy(error?: Error): void {
    this.#core.destroy(error);
  }

  /** Ends the connection for a reason, which is sent to the peer where the framing has a frame for it. */
  fail(error: Error): void {
    this.#core.fail(error);
  }

  /** Whether a call failed only because the connection ended, which `closed` reports. */
  isOwnEnd(error: unknown): boolean {
    return this.#core.isOwnEnd(error);
  }

  /**
   * Runs a server's handler; its failure ends this connection and nothing else.
   * @param later in the next turn, or before the first data; until that turn it counts as running
   */
  handleBy(handler: (connection: SecureConnection<In, Out>) => unknown, later = false): void {
    const core = this.#core;
    let worksOn = false;
    const run = (): void => {
      core.beforeData = null;
      worksOn = core.handleBy(() => handler(this));
    };
    if (later) core.activity.beginHandler();
    core.beforeData = run;
    if (later) setImmediate(() => core.beforeData?.());
    else run();
    // The handler's first steps may continue in this turn's microtasks.
    setImmediate(() => {
      if (later && !worksOn) core.activity.endHandler();
      core.handedOut();
    });
  }

  /** @throws InvalidOptionError, FramingMismatchError: the program's own mistakes */
  #payload(payload: Out): Uint8Array {
    const { framing, protocol } = this.#core;
    const refused = protocol.refusesMessages;
    if (refused !== null) throw refused;
    return toBytes(framing, payload);
  }

  /** Why the peer can't be sent this, or null. */
  #refusedByPeer(bytes: Uint8Array): Error | null {
    const { ending, protocol } = this.#core;
    if (!ending.maySend) return ending.goneError;
    if (bytes.length <= protocol.peerLimit) return null;
    return this.#core.named(tooLargeForPeer(bytes.length, protocol.peerLimit));
  }

  #failed<T>(error: Error, call: string): Promise<T> {
    return failedCall(error, (unheard) => {
      this.#core.unawaited(unheard, call);
    });
  }
}

const NO_OPTIONS: RequestOptions = Object.freeze({});

function handedOut(core: { handedOut(): void }): void {
  core.handedOut();
}
