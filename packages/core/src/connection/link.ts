/**
 * The inner side of a connection: joins the stream below and the exchange that gives its bytes meaning, holds reading
 * while nobody can take more; its life is told in `life.ts`.
 */
import { asError } from '../errors/as-error.js';
import { isKnsock } from '../framing/index.js';
import type { Framing } from '../framing/framing.js';
import type { Limits } from '../policy/limits.js';
import type { ByteStream, ByteStreamEvents } from '../transport/byte-stream.js';
import type { Exchange, ExchangeHost } from './exchange.js';
import { FifoExchange } from './fifo-exchange.js';
import { Inbox, type InboxEvents } from './inbox.js';
import { KnsockExchange } from './knsock-exchange.js';
import { Life } from './life.js';
import { Outbox, type OutboxEvents } from './outbox.js';
import { Deferred } from './deferred.js';
import type { RawBytes } from './duplex.js';
import type { ClosedInfo, RequestHandler, SecureConnection } from './secure-connection.js';
import { needsVigil, Vigil, type Watched } from './vigil.js';
import { Writer, type WriterEvents } from './writer.js';

/** What a link is made of; nothing is left open. */
export interface LinkSettings<In, Out> {
  readonly role: 'client' | 'server';
  readonly framing: Framing<In, Out>;
  readonly limits: Limits;
  readonly maxLifetime: number | null;
  readonly requestHandler: RequestHandler<In, Out> | null;
  /** What an end before the first byte means, by an error too, where somebody below knows. */
  readonly explainEnd: ((error?: Error) => Error | null) | null;
}

/** On a port of several framings, those without frames for it have no heartbeat. */
function withoutHeartbeat(limits: Limits): Limits {
  return limits.heartbeat === null ? limits : { ...limits, heartbeat: null };
}

/** Above this many bytes waiting for the program, reading stops, on framings without control frames to be read. */
const HELD = 65_536;

/** The connection as its program sees it, told when it is gone. */
export interface LinkOwner<In, Out> extends SecureConnection<In, Out> {
  gone(): void;
}

export class Link<In, Out>
  implements ByteStreamEvents, ExchangeHost<In, Out>, InboxEvents, OutboxEvents, WriterEvents, Watched
{
  readonly connection: LinkOwner<In, Out>;
  readonly framing: Framing<In, Out>;
  readonly limits: Limits;
  readonly stream: ByteStream;
  readonly writer: Writer;
  readonly exchange: Exchange<In, Out>;
  readonly inbox: Inbox<In>;
  readonly outbox: Outbox;
  readonly life: Life;
  /** Where the raw bytes go, once the program took them over. */
  raw: RawBytes | null = null;
  bytesReceived = 0;
  readonly #maxLifetime: number | null;
  readonly #explainEnd: LinkSettings<In, Out>['explainEnd'];
  readonly #heldLimit: number;
  #opening: Deferred<void> | null = null;
  #closing: Deferred<ClosedInfo> | null = null;
  #closed: ClosedInfo | null = null;
  #vigil: Vigil | null = null;
  #readingHeld = false;

  constructor(stream: ByteStream, settings: LinkSettings<In, Out>, connection: LinkOwner<In, Out>) {
    this.connection = connection;
    this.stream = stream;
    this.framing = settings.framing;
    this.#maxLifetime = settings.maxLifetime;
    this.#explainEnd = settings.explainEnd;
    const framed = isKnsock(settings.framing);
    this.limits = framed ? settings.limits : withoutHeartbeat(settings.limits);
    this.writer = new Writer(stream, this);
    this.outbox = new Outbox(stream, this.writer, settings.limits.maxQueuedBytes, this);
    this.inbox = new Inbox(this, settings.limits.maxRequestsInFlight);
    this.#heldLimit = framed ? settings.limits.maxQueuedBytes : HELD;
    this.exchange = framed ? new KnsockExchange(this, settings.role) : new FifoExchange(this);
    this.life = new Life(this, settings.role);
    if (settings.requestHandler !== null) this.exchange.handle(settings.requestHandler);
  }

  /** Resolves once both sides may send; rejects where it never comes to that. */
  start(): Promise<void> {
    const { promise } = (this.#opening = new Deferred<void>());
    promise.catch(() => undefined);
    this.exchange.start();
    this.writer.flush();
    this.stream.open(this);
    return promise;
  }

  /** Most connections are never asked for their end. */
  get closed(): Promise<ClosedInfo> {
    this.#closing ??= new Deferred<ClosedInfo>();
    if (this.#closed !== null) this.#closing.resolve(this.#closed);
    return this.#closing.promise;
  }

  get isGone(): boolean {
    return this.#closed !== null;
  }

  // ── bytes in ──

  get copiesNext(): number {
    return this.raw === null && this.life.farewell === null ? this.exchange.copiesNext : 0;
  }

  data(chunk: Buffer): void {
    this.bytesReceived += chunk.length;
    if (this.life.farewell !== null) {
      this.life.farewell.discard(chunk);
      return;
    }
    if (this.raw !== null) {
      if (!this.raw.push(chunk)) this.#holdReading();
      return;
    }
    this.writer.hold();
    try {
      this.exchange.push(chunk);
    } catch (error) {
      this.fail(asError(error));
    }
    this.writer.release();
    if (this.#mustHold()) this.#holdReading();
  }

  end(): void {
    if (this.life.farewell !== null) return;
    const explained = this.#explained();
    if (explained !== null) this.fail(explained);
    else
      this.guard(() => {
        this.exchange.end();
      });
  }

  drain(): void {
    this.outbox.drained();
    this.raw?.drained();
  }

  gone(error: Error | undefined): void {
    const ended = this.life.gone((error && this.#explained(error)) ?? error);
    if (ended === null) return;
    this.#vigil?.stop();
    this.raw?.closed(ended.info.error);
    this.#opening?.reject(ended.why());
    this.#closed = ended.info;
    this.connection.gone();
    this.#closing?.resolve(ended.info);
  }

  #explained(error?: Error): Error | null {
    return (this.bytesReceived === 0 && this.#explainEnd?.(error)) || null;
  }

  // ── what the exchange says ──

  opened(): void {
    if (!this.life.open()) return;
    if (needsVigil(this.limits, this.#maxLifetime)) this.#vigil ??= this.#watch();
    this.#opening?.resolve();
    this.#opening = null;
  }

  deliver(message: In, bytes: number): void {
    // After our own end nobody will ask for more than what fits.
    if (this.life.state === 'ending' && this.inbox.heldBytes > this.#heldLimit) return;
    this.inbox.push(message, bytes);
  }

  idle(): void {
    this.life.progress();
  }

  peerDraining(): void {
    this.life.draining.tell();
  }

  peerFinished(): void {
    this.raw?.ended();
    this.life.peerEnded();
  }

  written(): void {
    this.outbox.written();
  }

  fail(error: Error): void {
    this.#opening?.reject(error);
    this.life.fail(error);
  }

  // ── what inbox, outbox and vigil say ──

  emptied(): void {
    this.readOn();
    this.life.progress();
  }

  parked(): void {
    this.life.progress();
  }

  working(work: PromiseLike<unknown>): void {
    this.life.attend(work, () => {
      this.guard(() => {
        this.inbox.worked();
      });
    });
  }

  encode(bytes: Uint8Array): void {
    this.exchange.send(bytes);
  }

  check(bytes: Uint8Array): void {
    this.exchange.check(bytes);
  }

  congested(): void {
    (this.#vigil ??= this.#watch()).congested();
  }

  relieved(): void {
    if (!this.outbox.congested) this.#vigil?.relieved();
    this.exchange.resume();
    this.readOn();
    this.life.progress();
  }

  get activity(): number {
    if (this.limits.heartbeat !== null) return this.exchange.received + this.exchange.sent;
    return this.stream.bytesRead + this.bytesTaken;
  }

  get messagesReceived(): number {
    return this.raw === null ? this.exchange.received : this.bytesReceived;
  }

  get overfull(): boolean {
    return this.outbox.overfull;
  }

  get bytesTaken(): number {
    return this.stream.bytesWritten - this.stream.queuedBytes;
  }

  get readingHeld(): boolean {
    return this.#readingHeld;
  }

  ping({ timeout }: { timeout: number }): Promise<number> {
    return this.exchange.ping(timeout, undefined);
  }

  retire(): void {
    this.life.close(this.limits.drainTimeout);
  }

  /** Runs the program's code: what it throws ends this connection, and nothing else. */
  guard(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.fail(asError(error));
    }
  }

  // ── reading ──

  readOn(): void {
    if (!this.#readingHeld || this.#mustHold()) return;
    this.#readingHeld = false;
    this.stream.resume();
  }

  #watch(): Vigil {
    return new Vigil(this, this.limits, this.#maxLifetime);
  }

  #mustHold(): boolean {
    if (this.life.state === 'ending' || this.life.farewell !== null) return false;
    return this.inbox.heldBytes > this.#heldLimit || this.exchange.full || this.outbox.overfull;
  }

  #holdReading(): void {
    if (this.#readingHeld) return;
    this.#readingHeld = true;
    this.stream.pause();
  }
}
