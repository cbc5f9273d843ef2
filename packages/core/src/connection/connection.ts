/** A connection as its program sees it; what goes on inside is the link's. */
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { asError } from '../errors/as-error.js';
import { FramingMismatchError, RequestNotStartedError } from '../errors/index.js';
import { toBytes } from '../framing/framing.js';
import { timeToClose } from '../policy/limits.js';
import type { ByteStream } from '../transport/byte-stream.js';
import type { PeerIdentity } from '../transport/peer-identity.js';
import type { Endpoint, ProxyInfo } from '../transport/proxy-header.js';
import type { TlsFacts } from '../transport/tls-facts.js';
import { duplexOver } from './duplex.js';
import { isThenable, type MessageListener } from './inbox.js';
import { Link, type LinkOwner, type LinkSettings } from './link.js';
import type {
  ClosedInfo,
  ConnectionStats,
  RequestHandler,
  RequestOptions,
  SecureConnection,
} from './secure-connection.js';
import { joinLinks, joinStream } from './relay.js';
import { tellAsked } from './tell-traffic.js';
import { wrongWait } from './wrong-wait.js';

/** All that a connection is made of; nothing is left open. */
export interface ConnectionSettings<In, Out> extends LinkSettings<In, Out> {
  readonly peer: PeerIdentity | null;
  readonly tls: TlsFacts;
  readonly socket: TLSSocket;
  /** The other end's address, the true client's where a proxy told it. */
  readonly remote: Endpoint | null;
  /** What a trusted proxy said of the client. */
  readonly proxy: ProxyInfo | null;
}

interface WaitOptions {
  signal?: AbortSignal | undefined;
  timeout?: number | undefined;
}

let lastId = 0;

export class Connection<In, Out> implements LinkOwner<In, Out> {
  readonly id = ++lastId;
  readonly peer: PeerIdentity | null;
  readonly tls: TlsFacts;
  readonly socket: TLSSocket;
  readonly proxy: ProxyInfo | null;
  readonly remote: Endpoint | null;
  readonly #link: Link<In, Out>;
  #closing: Promise<void> | null = null;
  #forget: ((connection: this) => void) | null = null;
  #stream: Duplex | null = null;

  constructor(stream: ByteStream, settings: ConnectionSettings<In, Out>) {
    this.peer = settings.peer;
    this.tls = settings.tls;
    this.socket = settings.socket;
    this.proxy = settings.proxy;
    this.remote = settings.remote;
    this.#link = new Link(stream, settings, this);
  }

  /** Starts the exchange; resolves once both sides may send. */
  open(): Promise<void> {
    return this.#link.start();
  }

  get closed(): Promise<ClosedInfo> {
    return this.#link.closed;
  }

  /** As `closed`, for the one who keeps this connection: told at once, and without a promise. */
  whenGone(forget: (connection: this) => void): void {
    if (this.#link.isGone) forget(this);
    else this.#forget = forget;
  }

  gone(): void {
    this.#forget?.(this);
  }

  get state(): 'open' | 'draining' | 'closed' {
    const { state, draining } = this.#link.life;
    if (state === 'closed' || state === 'ending') return 'closed';
    return state === 'draining' || draining.told ? 'draining' : 'open';
  }

  stats(): ConnectionStats {
    const { exchange, stream, outbox, inbox, bytesReceived } = this.#link;
    return {
      messagesReceived: exchange.received,
      messagesSent: exchange.sent,
      bytesReceived,
      bytesSent: stream.bytesWritten,
      queuedBytes: outbox.queuedBytes,
      heldBytes: inbox.heldBytes,
      requestsHandled: exchange.requestsHandled,
      requestsWaiting: exchange.requestsWaiting,
      requestsGivenUp: exchange.requestsGivenUp,
      maxRequestsWaiting: exchange.maxRequestsWaiting,
    };
  }

  // ── messages ──

  write(payload: Out): boolean {
    const link = this.#link;
    if (!link.life.maySend) throw link.life.goneError;
    return link.outbox.write(toBytes(link.framing, payload));
  }

  async send(payload: Out, { signal }: { signal?: AbortSignal | undefined } = {}): Promise<void> {
    const link = this.#link;
    signal?.throwIfAborted();
    if (!link.life.maySend) throw link.life.goneError;
    await link.outbox.send(toBytes(link.framing, payload), signal);
  }

  ready(): Promise<void> {
    return this.#link.outbox.ready();
  }

  onMessage(listener: MessageListener<In>): void {
    this.#link.guard(() => {
      this.#link.inbox.listen(listener);
    });
  }

  receive({ signal, timeout }: WaitOptions = {}): Promise<In | null> {
    const wrong = wrongWait(timeout);
    if (wrong !== undefined) return Promise.reject(wrong);
    return this.#link.inbox.receive(signal, timeout);
  }

  [Symbol.asyncIterator](): AsyncIterator<In> {
    return this.#link.inbox.iterate();
  }

  pause(): void {
    this.#link.inbox.pause();
  }

  resume(): void {
    this.#link.guard(() => {
      this.#link.inbox.resume();
    });
    this.#link.readOn();
  }

  // ── requests ──

  request(payload: Out, options: RequestOptions = {}): Promise<In> {
    const link = this.#link;
    const wrong = wrongWait(options.timeout);
    if (wrong !== undefined) return Promise.reject(wrong);
    if (options.signal?.aborted === true) return Promise.reject(options.signal.reason as Error);
    if (link.life.state !== 'open') {
      const cause = link.life.goneError;
      return Promise.reject(
        new RequestNotStartedError(`the request was not sent: ${cause.message}`, { cause }),
      );
    }
    try {
      return tellAsked(this, link.exchange.request(toBytes(link.framing, payload), options));
    } catch (error) {
      return Promise.reject(asError(error));
    }
  }

  onRequest(handler: RequestHandler<In, Out>): void {
    this.#link.exchange.handle(handler);
  }

  ping({ signal, timeout }: WaitOptions = {}): Promise<number> {
    const link = this.#link;
    const wrong = wrongWait(timeout);
    if (wrong !== undefined) return Promise.reject(wrong);
    if (!link.life.maySend) return Promise.reject(link.life.goneError);
    return link.exchange.ping(timeout ?? link.limits.requestTimeout, signal);
  }

  // ── raw bytes ──

  stream(): Duplex {
    const link = this.#link;
    demandRaw(link.framing.name, 'stream()');
    if (this.#stream !== null) return this.#stream;
    const raw = duplexOver({
      held: link.inbox.takeAll() as Buffer[],
      ended: link.life.isPeerFinished,
      readOn: () => {
        link.readOn();
      },
      write: (bytes) =>
        link.life.maySend ? link.outbox.send(bytes, undefined) : Promise.reject(link.life.goneError),
      end: () => {
        link.writer.flush();
        link.stream.end();
      },
      destroy: (error) => {
        link.life.destroy(error ?? undefined);
      },
    });
    link.raw = raw;
    this.#stream = raw.duplex;
    link.readOn();
    return raw.duplex;
  }

  relay(other: Duplex | SecureConnection): Promise<void> {
    try {
      const link = this.#relayed();
      if (other instanceof Connection) return joinLinks(link, (other as Connection<In, Out>).#relayed());
      return joinStream(link, 'relay' in other ? other.stream() : other);
    } catch (error) {
      return Promise.reject(asError(error));
    }
  }

  #relayed(): Link<In, Out> {
    demandRaw(this.#link.framing.name, 'relay()');
    if (this.#link.life.state === 'closed') throw this.#link.life.goneError;
    return this.#link;
  }

  // ── ending ──

  onDraining(listener: () => void): void {
    this.#link.life.draining.listen(listener);
  }

  close({ deadline }: { deadline?: number | undefined } = {}): Promise<void> {
    const wait = timeToClose(deadline, this.#link.limits.drainTimeout);
    this.#link.life.disown();
    return this.#end(wait);
  }

  /** As `close`, where it isn't the program that asks: its handler and listeners get the time to finish. */
  retire(deadline: number): Promise<void> {
    return this.#end(timeToClose(deadline, this.#link.limits.drainTimeout));
  }

  #end(wait: number): Promise<void> {
    if (this.#closing === null) {
      this.#closing = this.closed.then(() => undefined);
      this.#link.life.close(wait);
    }
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  destroy(error?: Error): void {
    this.#link.life.destroy(error);
  }

  /** Ends the connection for a reason, which the peer learns where the framing has words for it. */
  fail(error: Error): void {
    this.#link.fail(error);
  }

  /** Runs a server's handler; its failure ends this connection and nothing else. */
  handleBy(handler: (connection: SecureConnection<In, Out>) => unknown): void {
    this.#link.guard(() => {
      const handling = handler(this);
      if (isThenable(handling)) this.#link.life.attendHandler(handling);
    });
  }
}

function demandRaw(framing: string, who: string): void {
  if (framing !== 'raw')
    throw new FramingMismatchError(`${who} needs the raw framing; this connection speaks ${framing}`);
}
