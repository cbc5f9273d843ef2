/**
 * A connection's life, and how it ends.
 *
 *   opening ──▶ open ──close()──▶ draining ──nothing in flight──▶ ending ──peer's end, or deadline──▶ closed
 *      └────────┴── an error, destroy() or the socket's close, from any state ──▶ closed
 */
import { ConnectionClosedError, ConnectionTimeoutError } from '../errors/index.js';
import { asError } from '../errors/as-error.js';
import { fromConnection } from '../errors/from-node.js';
import type { Framing } from '../framing/framing.js';
import type { Limits } from '../policy/limits.js';
import type { ByteStream } from '../transport/byte-stream.js';
import { DrainingNotice } from './draining-notice.js';
import type { RawBytes } from './duplex.js';
import { mayFollowPeer, nothingInFlight, type Doings } from './ending.js';
import type { Exchange } from './exchange.js';
import { Farewell } from './farewell.js';
import type { Inbox } from './inbox.js';
import type { Outbox } from './outbox.js';
import type { CleanEnd, ClosedInfo } from './secure-connection.js';
import type { Writer } from './writer.js';

/** What a life is the life of. */
export interface Living {
  readonly framing: Pick<Framing, 'name'>;
  readonly limits: Limits;
  readonly stream: ByteStream;
  readonly writer: Writer;
  readonly exchange: Pick<
    Exchange<never, never>,
    'clean' | 'requestsHandled' | 'requestsWaiting' | 'announceDrain' | 'announceEnd' | 'abandon'
  >;
  readonly inbox: Pick<Inbox<never>, 'consumed' | 'length' | 'paused' | 'isParked' | 'endTold' | 'end'>;
  readonly outbox: Outbox;
  readonly raw: RawBytes | null;
  /** Reads on, if reading was held. */
  readOn(): void;
}

export type LifeState = 'opening' | 'open' | 'draining' | 'ending' | 'closed';

export class Life {
  readonly draining = new DrainingNotice();
  state: LifeState = 'opening';
  /** The last words, once an error was announced. */
  farewell: Farewell | null = null;
  isPeerFinished = false;
  readonly #of: Living;
  readonly #role: 'client' | 'server';
  #works = 0;
  #handling = false;
  #disowned = false;
  #error: Error | undefined;
  #deadline: NodeJS.Timeout | undefined;

  constructor(of: Living, role: 'client' | 'server') {
    this.#of = of;
    this.#role = role;
  }

  get maySend(): boolean {
    return this.state === 'open' || this.state === 'draining';
  }

  /** Why nothing can be sent any more. */
  get goneError(): Error {
    if (this.#error !== undefined) return this.#error;
    if (this.state === 'draining') return new ConnectionClosedError('unknown', 'the connection is closing');
    return new ConnectionClosedError(this.#of.exchange.clean, 'the connection is closed');
  }

  /** Both sides may send; false where it is too late for that. */
  open(): boolean {
    if (this.state !== 'opening') return false;
    this.state = 'open';
    return true;
  }

  /**
   * An asynchronous listener at work: while it is, it is work in flight, and its failure ends the connection.
   * @param done called once it is, unless it failed
   */
  attend(work: PromiseLike<unknown>, done: () => void): void {
    this.#works += 1;
    this.#follow(work, () => (this.#works -= 1), done);
  }

  /** The handler of a server's connection: as `attend`, but waiting for the next message it counts as done. */
  attendHandler(handling: PromiseLike<unknown>): void {
    this.#handling = true;
    this.#follow(handling, () => (this.#handling = false), null);
  }

  /** The program itself ends it: its handler or listener may be waiting for that end, and holds it up no longer. */
  disown(): void {
    this.#disowned = true;
    this.progress();
  }

  /** Lets work in flight finish, then ends; what isn't done by the deadline is cut off. */
  close(wait: number): void {
    if (this.state === 'closed') return;
    this.#endBy(wait, `work in flight didn’t finish within ${wait} ms`);
    if (this.state === 'opening') this.#of.stream.destroy();
    if (this.state !== 'open') return;
    this.state = 'draining';
    this.#of.exchange.announceDrain();
    this.draining.tell();
    this.progress();
  }

  /** Moves on towards the end where nothing holds it up any more. */
  progress(): void {
    if (this.state === 'open' && this.isPeerFinished && mayFollowPeer(this.#doings())) this.#finish();
    else if (this.state === 'draining' && nothingInFlight(this.#doings())) this.#finish();
  }

  /** The peer sends nothing more. */
  peerEnded(): void {
    this.isPeerFinished = true;
    const { exchange, inbox } = this.#of;
    if (this.state === 'opening' && this.farewell === null) {
      this.destroy(neverBegan(exchange.clean));
      return;
    }
    inbox.end(exchange.clean === false ? (this.#error ?? unannounced()) : undefined);
    this.progress();
  }

  /** Ends the connection for a reason, which the peer learns where the framing has words for it. */
  fail(error: Error): void {
    if (this.state === 'closed' || this.farewell !== null) return;
    this.#error ??= error;
    const deaf =
      error instanceof ConnectionTimeoutError && (error.phase === 'send' || error.phase === 'heartbeat');
    const speechless = this.#of.exchange.clean === 'unknown' || this.state === 'ending';
    if (speechless || deaf) this.#of.stream.destroy();
    else this.#sayFarewell(error);
  }

  destroy(error: Error | undefined): void {
    this.#error ??= error;
    this.#of.stream.destroy(error);
  }

  /** The socket is gone. How the connection ended, and why nothing works any more; null where that was told before. */
  gone(error: Error | undefined): { info: ClosedInfo; why: () => Error } | null {
    if (this.state === 'closed') return null;
    this.state = 'closed';
    clearTimeout(this.#deadline);
    this.farewell?.over();
    if (error !== undefined) this.#error ??= fromConnection(error, this.#role);
    const { exchange, inbox, outbox } = this.#of;
    const clean: CleanEnd = this.#error === undefined ? exchange.clean : false;
    // Mostly nobody waits for anything any more, and an error costs a stack trace.
    let made = this.#error;
    const why = (): Error => (made ??= clean === false ? unannounced() : this.goneError);
    exchange.abandon(why);
    outbox.close(why);
    inbox.end(clean === false ? why() : undefined);
    this.draining.tell();
    return { info: this.#error === undefined ? { clean } : { clean, error: this.#error }, why };
  }

  #doings(): Doings {
    const { inbox, exchange, outbox, raw, framing } = this.#of;
    return {
      requestsHandled: exchange.requestsHandled,
      requestsWaiting: exchange.requestsWaiting,
      tasks: this.#disowned ? 0 : this.#works,
      unsent: outbox.waiting,
      unread: inbox.consumed && inbox.length > 0 && !inbox.paused,
      handling: this.#handling && !this.#disowned,
      parked: inbox.isParked,
      peerFinished: this.isPeerFinished,
      clean: exchange.clean,
      raw: raw === null ? 'none' : raw.finished ? 'finished' : 'open',
      endIsOurs: this.#role === 'client' && framing.name === 'raw' && inbox.endTold,
    };
  }

  #finish(): void {
    const asked = this.state === 'draining';
    const { exchange, writer, stream, limits } = this.#of;
    this.state = 'ending';
    exchange.announceEnd(undefined);
    writer.flush();
    stream.end();
    if (!asked) this.#endBy(limits.drainTimeout, 'the peer didn’t end in turn');
    this.#of.readOn();
  }

  #endBy(wait: number, message: string): void {
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => {
      // Whoever lacks nothing but the peer's end of a stream that can't say so has lost nothing.
      if (this.state !== 'ending' || this.#of.exchange.clean === false) {
        this.#error ??= new ConnectionTimeoutError('drain', wait, message);
      }
      this.#of.stream.destroy();
    }, wait);
  }

  #sayFarewell(error: Error): void {
    const { exchange, writer, outbox, inbox, stream } = this.#of;
    exchange.announceEnd(error);
    writer.flush();
    exchange.abandon(() => error);
    outbox.close(() => error);
    inbox.end(error);
    this.state = 'ending';
    clearTimeout(this.#deadline);
    this.farewell = new Farewell(stream);
    this.#of.readOn();
  }

  #follow(work: PromiseLike<unknown>, over: () => void, done: (() => void) | null): void {
    work.then(
      () => {
        over();
        done?.();
        this.progress();
      },
      (error: unknown) => {
        over();
        this.fail(asError(error));
      },
    );
  }
}

function neverBegan(clean: CleanEnd): ConnectionClosedError {
  return new ConnectionClosedError(clean, 'the peer ended the connection before it let us in');
}

function unannounced(): ConnectionClosedError {
  return new ConnectionClosedError(false, 'the peer ended the connection without saying so');
}
