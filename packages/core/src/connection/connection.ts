/**
 * A connection whose peer was admitted: joins the stream below, the exchange that gives its bytes meaning, and the
 * program above.
 *
 *   opening ──▶ open ──close()──▶ draining ──nothing in flight──▶ ending ──peer's end, or deadline──▶ closed
 *      └────────┴── an error, destroy() or the socket's close, from any state ──▶ closed
 */
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import {
  ConnectionClosedError,
  ConnectionTimeoutError,
  FramingMismatchError,
  RequestNotStartedError,
} from '../errors/index.js';
import { fromConnection } from '../errors/from-node.js';
import { isKnsock } from '../framing/index.js';
import { toBytes, type Framing } from '../framing/framing.js';
import type { Limits } from '../policy/limits.js';
import type { ByteStream, ByteStreamEvents } from '../transport/byte-stream.js';
import type { Endpoint, ProxyInfo } from '../transport/proxy-header.js';
import type { PeerIdentity } from '../transport/peer-identity.js';
import type { TlsFacts } from '../transport/tls-facts.js';
import { duplexOver, type RawBytes } from './duplex.js';
import type { Exchange, ExchangeHost } from './exchange.js';
import { FifoExchange } from './fifo-exchange.js';
import { Inbox, type InboxEvents, type MessageListener } from './inbox.js';
import { KnsockExchange } from './knsock-exchange.js';
import { Outbox, type OutboxEvents } from './outbox.js';
import type {
  CleanEnd,
  ClosedInfo,
  ConnectionStats,
  RequestHandler,
  RequestOptions,
  SecureConnection,
} from './secure-connection.js';
import { Vigil, type Watched } from './vigil.js';
import { Writer } from './writer.js';

/** All that a connection is made of; nothing is left open. */
export interface ConnectionSettings<In, Out> {
  readonly role: 'client' | 'server';
  readonly framing: Framing<In, Out>;
  readonly limits: Limits;
  readonly maxLifetime: number | null;
  readonly peer: PeerIdentity | null;
  readonly tls: TlsFacts;
  readonly socket: TLSSocket;
  /** What a trusted proxy said of the client. */
  readonly proxy: ProxyInfo | null;
  readonly requestHandler: RequestHandler<In, Out> | null;
  /** What an end before the first byte means, where somebody below knows. */
  readonly explainEnd: (() => Error | null) | null;
}

type State = 'opening' | 'open' | 'draining' | 'ending' | 'closed';

/** Above this many bytes waiting for the program, reading stops, on framings without control frames to be read. */
const HELD = 65_536;
/** After an error was announced, input is still read away, so that the announcement isn't lost in a reset. */
const FAREWELL_MS = 1_000;
const FAREWELL_BYTES = 8_388_608;

let lastId = 0;

export class Connection<In, Out>
  implements
    SecureConnection<In, Out>,
    ByteStreamEvents,
    ExchangeHost<In, Out>,
    InboxEvents,
    OutboxEvents,
    Watched
{
  readonly id = ++lastId;
  readonly peer: PeerIdentity | null;
  readonly tls: TlsFacts;
  readonly socket: TLSSocket;
  readonly proxy: ProxyInfo | null;
  readonly remote: Endpoint | null;
  readonly framing: Framing<In, Out>;
  readonly limits: Limits;
  readonly writer: Writer;
  /** Resolves once both sides may send; rejects where it never came to that. */
  readonly whenOpen: Promise<void>;
  readonly closed: Promise<ClosedInfo>;
  readonly #settings: ConnectionSettings<In, Out>;
  readonly #stream: ByteStream;
  readonly #exchange: Exchange<In, Out>;
  readonly #inbox: Inbox<In>;
  readonly #outbox: Outbox;
  readonly #heldLimit: number;
  #vigil: Vigil | null = null;
  #state: State = 'opening';
  #readingHeld = false;
  #peerFinished = false;
  #tasks = 0;
  #handling = false;
  #error: Error | undefined;
  #farewell: { bytes: number } | null = null;
  #drainingListeners: (() => void)[] = [];
  #drainingTold = false;
  #closing: Promise<void> | null = null;
  #timer: NodeJS.Timeout | undefined;
  #raw: RawBytes | null = null;
  #bytesReceived = 0;
  #resolveOpen!: () => void;
  #rejectOpen!: (error: Error) => void;
  #resolveClosed!: (info: ClosedInfo) => void;

  constructor(stream: ByteStream, settings: ConnectionSettings<In, Out>) {
    this.#stream = stream;
    this.#settings = settings;
    this.peer = settings.peer;
    this.tls = settings.tls;
    this.socket = settings.socket;
    this.proxy = settings.proxy;
    this.remote = settings.proxy?.source ?? remoteOf(settings.socket);
    this.framing = settings.framing;
    this.limits = settings.limits;
    this.whenOpen = new Promise((resolve, reject) => {
      this.#resolveOpen = resolve;
      this.#rejectOpen = reject;
    });
    this.whenOpen.catch(() => undefined);
    this.closed = new Promise((resolve) => (this.#resolveClosed = resolve));
    this.writer = new Writer(stream, () => {
      this.#outbox.written();
    });
    this.#outbox = new Outbox(stream, this.writer, settings.limits.maxQueuedBytes, this);
    this.#inbox = new Inbox(this);
    const framed = isKnsock(settings.framing);
    this.#heldLimit = framed ? settings.limits.maxQueuedBytes : HELD;
    this.#exchange = framed ? new KnsockExchange(this, settings.role) : new FifoExchange(this);
    if (settings.requestHandler !== null) this.#exchange.handle(settings.requestHandler);
  }

  /** Starts the exchange; `whenOpen` tells how that went. */
  start(): void {
    this.#exchange.start();
    this.writer.flush();
    this.#stream.open(this);
  }

  // ── the program's side ──

  get state(): 'open' | 'draining' | 'closed' {
    if (this.#state === 'closed' || this.#state === 'ending') return 'closed';
    return this.#state === 'draining' || this.#drainingTold ? 'draining' : 'open';
  }

  stats(): ConnectionStats {
    return {
      messagesReceived: this.#exchange.received,
      messagesSent: this.#exchange.sent,
      bytesReceived: this.#bytesReceived,
      bytesSent: this.#stream.bytesWritten,
      queuedBytes: this.#outbox.queuedBytes,
      heldBytes: this.#inbox.heldBytes,
      requestsHandled: this.#exchange.requestsHandled,
      requestsWaiting: this.#exchange.requestsWaiting,
      maxRequestsWaiting: this.#exchange.maxRequestsWaiting,
    };
  }

  write(payload: Out): boolean {
    if (this.#state !== 'open' && this.#state !== 'draining') throw this.#goneError();
    return this.#outbox.write(toBytes(this.framing, payload));
  }

  async send(payload: Out, { signal }: { signal?: AbortSignal | undefined } = {}): Promise<void> {
    signal?.throwIfAborted();
    if (this.#state !== 'open' && this.#state !== 'draining') throw this.#goneError();
    await this.#outbox.send(toBytes(this.framing, payload), signal);
  }

  ready(): Promise<void> {
    return this.#outbox.ready();
  }

  onMessage(listener: MessageListener<In>): void {
    this.#guard(() => {
      this.#inbox.listen(listener);
    });
  }

  receive({
    signal,
    timeout,
  }: { signal?: AbortSignal | undefined; timeout?: number | undefined } = {}): Promise<In | null> {
    return this.#inbox.receive(signal, timeout);
  }

  [Symbol.asyncIterator](): AsyncIterator<In> {
    return this.#inbox.iterate();
  }

  request(payload: Out, options: RequestOptions = {}): Promise<In> {
    if (options.signal?.aborted === true) return Promise.reject(options.signal.reason as Error);
    if (this.#state !== 'open') {
      const cause = this.#goneError();
      return Promise.reject(
        new RequestNotStartedError(`the request was not sent: ${cause.message}`, { cause }),
      );
    }
    try {
      return this.#exchange.request(toBytes(this.framing, payload), options);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  onRequest(handler: RequestHandler<In, Out>): void {
    this.#exchange.handle(handler);
  }

  onDraining(listener: () => void): void {
    if (this.#drainingTold) process.nextTick(listener);
    else this.#drainingListeners.push(listener);
  }

  ping({
    signal,
    timeout,
  }: { signal?: AbortSignal | undefined; timeout?: number | undefined } = {}): Promise<number> {
    if (this.#state !== 'open' && this.#state !== 'draining') return Promise.reject(this.#goneError());
    return this.#exchange.ping(timeout ?? this.limits.requestTimeout, signal);
  }

  pause(): void {
    this.#inbox.pause();
  }

  resume(): void {
    this.#guard(() => {
      this.#inbox.resume();
    });
    this.#readOn();
  }

  stream(): Duplex {
    if (this.framing.name !== 'raw') {
      throw new FramingMismatchError(
        `stream() needs the raw framing; this connection speaks ${this.framing.name}`,
      );
    }
    if (this.#raw !== null) return this.#raw.duplex;
    this.#raw = duplexOver(this.#stream, {
      held: this.#inbox.takeAll() as Buffer[],
      ended: this.#peerFinished,
      write: (bytes) =>
        this.state === 'closed' ? Promise.reject(this.#goneError()) : this.#outbox.send(bytes, undefined),
      end: () => {
        this.writer.flush();
        this.#stream.end();
      },
      destroy: (error) => {
        this.destroy(error ?? undefined);
      },
    });
    this.#readOn();
    return this.#raw.duplex;
  }

  close({ deadline }: { deadline?: number | undefined } = {}): Promise<void> {
    if (this.#closing !== null) return this.#closing;
    this.#closing = this.closed.then(() => undefined);
    if (this.#state === 'closed') return this.#closing;
    const wait = deadline ?? this.limits.drainTimeout;
    this.#endBy(
      wait,
      () => new ConnectionTimeoutError('drain', wait, `work in flight didn’t finish within ${wait} ms`),
    );
    if (this.#state === 'opening') this.destroy();
    else if (this.#state === 'open') this.#drain();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  destroy(error?: Error): void {
    this.#error ??= error;
    this.#stream.destroy(error);
  }

  /** The handler of a server's connection: while it works, it is work in flight. */
  attend(handling: PromiseLike<unknown>): void {
    this.#handling = true;
    handling.then(
      () => {
        this.#handling = false;
        this.#progress();
      },
      (error: unknown) => {
        this.#handling = false;
        this.fail(asError(error));
      },
    );
  }

  // ── bytes in ──

  data(chunk: Buffer): void {
    this.#bytesReceived += chunk.length;
    if (this.#farewell !== null) {
      this.#discard(chunk);
      return;
    }
    if (this.#raw !== null) {
      if (!this.#raw.push(chunk)) this.#holdReading();
      return;
    }
    this.writer.hold();
    try {
      this.#exchange.push(chunk);
    } catch (error) {
      this.fail(asError(error));
    }
    this.writer.release();
    if (this.#mustHold()) this.#holdReading();
  }

  end(): void {
    if (this.#farewell !== null) return;
    const explained = this.#bytesReceived === 0 ? this.#settings.explainEnd?.() : null;
    if (explained != null) {
      this.fail(explained);
      return;
    }
    try {
      this.#exchange.end();
    } catch (error) {
      this.fail(asError(error));
    }
  }

  drain(): void {
    this.#outbox.drained();
  }

  gone(error: Error | undefined): void {
    if (this.#state === 'closed') return;
    const opened = this.#state !== 'opening';
    this.#state = 'closed';
    clearTimeout(this.#timer);
    this.#vigil?.stop();
    if (error !== undefined) this.#error ??= fromConnection(error, this.#settings.role);
    const clean: CleanEnd = this.#error === undefined ? this.#exchange.clean : false;
    const gone = this.#error ?? new ConnectionClosedError(clean, endWords(clean));
    this.#exchange.abandon(gone);
    this.#outbox.close(gone);
    this.#inbox.end(this.#error ?? (clean === false ? gone : undefined));
    this.#raw?.closed(this.#error);
    if (!opened) this.#rejectOpen(gone);
    this.#tellDraining();
    this.#resolveClosed(this.#error === undefined ? { clean } : { clean, error: this.#error });
  }

  // ── what the exchange says ──

  get connection(): this {
    return this;
  }

  opened(): void {
    if (this.#state !== 'opening') return;
    this.#state = 'open';
    this.#vigil = new Vigil(this, this.limits, this.#settings.maxLifetime);
    this.#resolveOpen();
  }

  deliver(message: In, bytes: number): void {
    // After our own end nobody will ask for more than what fits.
    if (this.#state === 'ending' && this.#inbox.heldBytes > this.#heldLimit) return;
    this.#inbox.push(message, bytes);
  }

  idle(): void {
    this.#progress();
  }

  peerDraining(): void {
    this.#tellDraining();
  }

  peerFinished(): void {
    this.#peerFinished = true;
    this.#raw?.ended();
    const clean = this.#exchange.clean;
    this.#inbox.end(
      clean === false ? (this.#error ?? new ConnectionClosedError(false, endWords(false))) : undefined,
    );
    this.#progress();
  }

  fail(error: Error): void {
    if (this.#state === 'closed' || this.#farewell !== null) return;
    this.#error ??= error;
    const speechless =
      error instanceof ConnectionTimeoutError && (error.phase === 'send' || error.phase === 'heartbeat');
    if (this.#exchange.clean === 'unknown' || this.#state === 'ending' || speechless) {
      this.#stream.destroy();
      return;
    }
    this.#sayFarewell(error);
  }

  // ── what inbox, outbox and vigil say ──

  emptied(): void {
    this.#readOn();
    this.#progress();
  }

  parked(): void {
    this.#progress();
  }

  working(work: PromiseLike<unknown>): void {
    this.#tasks += 1;
    const done = (): void => {
      this.#tasks -= 1;
      this.#progress();
    };
    work.then(done, (error: unknown) => {
      done();
      this.fail(asError(error));
    });
  }

  encode(bytes: Uint8Array): void {
    this.#exchange.send(bytes);
  }

  congested(): void {
    this.#vigil?.congested();
  }

  relieved(): void {
    if (!this.#outbox.congested) this.#vigil?.relieved();
    this.#readOn();
    this.#progress();
  }

  get activity(): number {
    if (this.limits.heartbeat !== null) return this.#exchange.received + this.#exchange.sent;
    return this.#stream.bytesRead + this.bytesTaken;
  }

  get bytesReceived(): number {
    return this.#bytesReceived;
  }

  get bytesTaken(): number {
    return this.#stream.bytesWritten - this.#stream.queuedBytes;
  }

  get readingHeld(): boolean {
    return this.#readingHeld;
  }

  retire(): void {
    void this.close();
  }

  // ── ending ──

  #drain(): void {
    this.#state = 'draining';
    this.#exchange.announceDrain();
    this.#tellDraining();
    this.#progress();
  }

  /** Moves on towards the end where nothing holds it up any more. */
  #progress(): void {
    if (this.#state === 'open' && this.#peerFinished && this.#mayFollowPeer()) this.#finish();
    else if (this.#state === 'draining' && this.#nothingInFlight()) this.#finish();
  }

  #nothingInFlight(): boolean {
    if (this.#exchange.requestsHandled > 0 || this.#exchange.requestsWaiting > 0) return false;
    if (this.#tasks > 0 || this.#outbox.waiting) return false;
    if (this.#raw !== null && !this.#raw.finished) return false;
    const unread = this.#inbox.consumed && this.#inbox.length > 0 && !this.#inbox.paused;
    // A handler that waits for the next message has done its work; one that does anything else hasn't.
    return !unread && (!this.#handling || this.#inbox.isParked || this.#peerFinished);
  }

  /** The peer sends no more: end too, once what it sent is dealt with. */
  #mayFollowPeer(): boolean {
    if (this.#exchange.clean === true) return this.#exchange.requestsHandled === 0;
    if (this.#exchange.requestsHandled > 0 || this.#tasks > 0 || this.#handling || this.#raw !== null)
      return false;
    if (this.#inbox.consumed && this.#inbox.length > 0) return false;
    // A raw peer that only half-closed may still read: who was told of its end says when ours is.
    return !(this.#settings.role === 'client' && this.framing.name === 'raw' && this.#inbox.endTold);
  }

  #finish(): void {
    this.#state = 'ending';
    this.#exchange.announceEnd(undefined);
    this.writer.flush();
    this.#stream.end();
    const wait = this.limits.drainTimeout;
    if (this.#closing === null)
      this.#endBy(wait, () => new ConnectionTimeoutError('drain', wait, 'the peer didn’t end in turn'));
    this.#readOn();
  }

  #endBy(wait: number, error: () => Error): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      // Whoever ended both ways but for the peer's last word has lost nothing.
      if (this.#state !== 'ending' || this.#exchange.clean === false) this.#error ??= error();
      this.#stream.destroy();
    }, wait);
  }

  /** Says why, then reads away what still comes, or the reset would overtake the words. */
  #sayFarewell(error: Error): void {
    this.#farewell = { bytes: FAREWELL_BYTES };
    this.#exchange.announceEnd(error);
    this.writer.flush();
    this.#exchange.abandon(error);
    this.#outbox.close(error);
    this.#inbox.end(error);
    this.#stream.end();
    if (this.#state === 'opening') this.#rejectOpen(error);
    this.#state = 'ending';
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#stream.destroy();
    }, FAREWELL_MS);
    this.#readOn();
  }

  #discard(chunk: Buffer): void {
    const farewell = this.#farewell as { bytes: number };
    farewell.bytes -= chunk.length;
    if (farewell.bytes < 0) this.#stream.destroy();
  }

  #tellDraining(): void {
    if (this.#drainingTold) return;
    this.#drainingTold = true;
    const listeners = this.#drainingListeners;
    this.#drainingListeners = [];
    for (const listener of listeners) listener();
  }

  // ── reading ──

  #mustHold(): boolean {
    if (this.#state === 'ending' || this.#farewell !== null) return false;
    return this.#inbox.heldBytes > this.#heldLimit || this.#exchange.full || this.#outbox.overfull;
  }

  #holdReading(): void {
    if (this.#readingHeld) return;
    this.#readingHeld = true;
    this.#stream.pause();
  }

  #readOn(): void {
    if (!this.#readingHeld || this.#mustHold()) return;
    this.#readingHeld = false;
    this.#stream.resume();
  }

  /** A listener that throws ends this connection, and nothing else. */
  #guard(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.fail(asError(error));
    }
  }

  #goneError(): Error {
    if (this.#error !== undefined) return this.#error;
    if (this.#state === 'draining') return new ConnectionClosedError('unknown', 'the connection is closing');
    return new ConnectionClosedError(this.#exchange.clean, 'the connection is closed');
  }
}

function endWords(clean: CleanEnd): string {
  return clean === false ? 'the peer ended the connection without saying so' : 'the connection is closed';
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

function remoteOf({ remoteAddress, remotePort }: TLSSocket): Endpoint | null {
  return remoteAddress === undefined ? null : { address: remoteAddress, port: remotePort ?? 0 };
}
