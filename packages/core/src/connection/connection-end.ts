/**
 * A connection's end: keeps the state of `lifecycle.ts`, passes it what is outstanding, and performs what it decides. The
 * only place that does.
 */
import { ConnectionClosedError, ConnectionTimeoutError, ProtocolError } from '../errors/index.js';
import { reportingController } from '../errors/reporting-signal.js';
import { asError } from '../errors/as-error.js';
import { ClosingTimers, type ClosingEvents } from './closing-timers.js';
import type { CleanEnd, ClosedInfo } from './connection-types.js';
import { Deferred } from './deferred.js';
import type { EndingParts } from './ending-parts.js';
import {
  beginning,
  mayAnswer,
  maySend,
  next,
  type LifecycleAction,
  type LifecycleEvent,
  type LifecycleState,
  type Outstanding,
} from './lifecycle.js';
import { LingeringClose } from './lingering-close.js';
import { OnceEvent } from './once-event.js';
import type { CloseReason } from './protocol.js';
import { UnreadWatch, type UnreadEvents } from './unread-watch.js';

/** How long the peer may take for its own end, once it owes no answer, in milliseconds. */
const PEER_END_MS = 5_000;

export class ConnectionEnd implements ClosingEvents, UnreadEvents {
  readonly draining = new OnceEvent();
  /** Reads and discards input, once the connection has failed. */
  lingering: LingeringClose | null = null;
  failedByProgram = false;
  // Read for every message, and so kept beside the state that they follow from.
  mayAnswer = mayAnswer(beginning);
  #isOpenBothWays = false;
  readonly #parts: EndingParts;
  #state = beginning;
  #events: LifecycleEvent[] = [];
  #acting = false;
  #error: Error | undefined;
  #ownReason: CloseReason | null = null;
  #peerReason: CloseReason | null = null;
  #peerClean: CleanEnd = false;
  #timers: ClosingTimers | null = null;
  #abort: AbortController | null = null;
  #signalFired = false;
  #hasOpened = false;
  #opening: Deferred<void> | null = null;
  #closing: Deferred<ClosedInfo> | null = null;
  #closed: ClosedInfo | null = null;
  readonly #unread: UnreadWatch;
  #isOutOfTime = false;
  #isDestroyed = false;
  /** Whether our end was announced. */
  #isAnnounced = false;

  constructor(parts: EndingParts) {
    this.#parts = parts;
    this.#unread = new UnreadWatch(parts, this);
  }

  /** Null where both sides may send already; otherwise resolves once they may, and rejects where that never happens. */
  opening(): Promise<void> | null {
    if (this.#hasOpened) return null;
    const { promise } = (this.#opening = new Deferred<void>());
    promise.catch(() => undefined);
    if (!this.#isOpening) this.#opening.reject(this.goneError);
    return promise;
  }

  get #isOpening(): boolean {
    return this.#state.local.is === 'opening' && !this.#isDestroyed;
  }

  get state(): 'open' | 'draining' | 'closed' {
    const { local } = this.#state;
    if (this.#isDestroyed) return 'closed';
    if (local.is === 'closed' || local.is === 'closing') return 'closed';
    return local.is === 'draining' || this.draining.isPublished ? 'draining' : 'open';
  }

  /** Created on demand: most programs never read it. */
  get closed(): Promise<ClosedInfo> {
    this.#closing ??= new Deferred<ClosedInfo>();
    if (this.#closed !== null) this.#closing.resolve(this.#closed);
    return this.#closing.promise;
  }

  get isGone(): boolean {
    return this.#closed !== null;
  }

  get isPeerFinished(): boolean {
    return this.#state.remote.is === 'finished' || this.#state.remote.is === 'gone';
  }

  get maySend(): boolean {
    if (this.#isOpenBothWays) return true;
    return !this.#isDestroyed && maySend(this.#state, () => this.#outstanding());
  }

  /** Whether new requests are accepted. */
  get mayAsk(): boolean {
    return this.#isOpenBothWays;
  }

  /** Why nothing can be sent any more. */
  get goneError(): Error {
    if (this.#error !== undefined) return this.#error;
    const { local, remote } = this.#state;
    if (local.is === 'draining') return this.#closedError('unknown', 'the connection is closing');
    if (remote.is === 'finished' && local.is === 'open')
      return this.#closedError(remote.clean, 'the peer has ended the connection');
    return this.#closedError(this.#parts.protocol.clean, 'the connection is closed');
  }

  /** Fires with the reason when the connection is about to end, at the request of either side. */
  get signal(): AbortSignal {
    if (this.#abort === null) {
      this.#abort = reportingController((error) => {
        this.#parts.report(asError(error), null, 'a listener of connection.signal');
      });
      if (this.#signalFired) this.#abort.abort(this.#endReason());
    }
    return this.#abort.signal;
  }

  get unsent(): number {
    return this.#parts.unsent;
  }

  get isStreamed(): boolean {
    return this.#parts.raw !== null;
  }

  get bytesTaken(): number {
    return this.#parts.bytesTaken;
  }

  // ── what happens ──

  opened(): void {
    this.#apply({ is: 'opened' });
  }

  peerDraining(): void {
    this.#apply({ is: 'peer-draining' });
  }

  /** Whether both sides have announced their end, and all of ours is sent: a reset after that loses nothing. */
  get #isAgreed(): boolean {
    const { local } = this.#state;
    if (this.#closed !== null) return true;
    return (
      this.#parts.protocol.clean === true &&
      local.is === 'closing' &&
      local.why === 'agreed' &&
      this.unsent === 0
    );
  }

  /** The socket is gone. @param error why, as an error of the library */
  gone(error: Error | undefined): void {
    if (error !== undefined && !this.#isAgreed) this.#error ??= this.#parts.named(error);
    this.#apply({ is: 'gone' });
  }

  /** Waits for work in flight, then ends; what isn't done by the deadline is cut off. */
  close(wait: number, by: 'program' | 'library', reason: CloseReason | null): void {
    if (this.#closed !== null) return;
    this.#ownReason ??= reason;
    this.#ending.endBy(wait, () => this.#drainError(wait, "work in flight didn't finish"), true);
    this.#apply({ is: 'close', by });
    this.#watchUnread();
  }

  /** @param cutsShort whether a stream or relay that hasn't ended its direction is incomplete; HTTP's, for one, says so itself */
  destroy(error: Error | undefined, cutsShort = error !== undefined): void {
    this.#error ??= error;
    // The socket is gone a turn later; messages accepted until then would be lost silently.
    this.#isDestroyed = true;
    this.#isOpenBothWays = false;
    this.#breakOff(error, cutsShort);
  }

  /** Where the stream's end is all that a peer sees, it must learn that something is missing. HTTP clients send again after a reset alone. */
  #breakOff(error: Error | undefined, cutsShort: boolean): void {
    const { stream, protocol, framing } = this.#parts;
    if (protocol.endWords === 'stream-end' && this.#isMissing(cutsShort))
      stream.reset(error, framing.alpn === 'http/1.1' ? 'reset' : 'alert');
    else stream.destroy(error);
  }

  /**
   * @param cutsShort whether raw bytes without their end are incomplete. Their peer may hold a stream: by an end it would take them for
   *   complete, and wait for ever with its own direction open
   */
  #isMissing(cutsShort: boolean): boolean {
    const { protocol, raw, framing } = this.#parts;
    if (this.unsent > 0 || protocol.requestsWaiting > 0) return true;
    return cutsShort && !(raw?.sent ?? (this.#isAnnounced || framing.name !== 'raw'));
  }

  /**
   * The connection can't go on.
   * @param tellPeer false where the peer reported it itself
   * @param byProgram whether the program's own code threw it
   */
  fail(error: Error, tellPeer: boolean, byProgram: boolean): void {
    if (this.#closed !== null || this.lingering !== null) return;
    const { protocol, raw, sendQueue } = this.#parts;
    if (this.#error === undefined) {
      this.#error = byProgram ? error : this.#parts.named(error);
      this.failedByProgram = byProgram;
    }
    if (protocol.endWords === 'stream-end') protocol.announceFailure(this.#error, byProgram);
    // Then the peer may rely on what was sent before; one that is refused, or takes nothing, may not.
    if (!byProgram && !(error instanceof ProtocolError)) {
      this.#apply({
        is: 'failed',
        how: this.#isMute(error) ? 'mute' : tellPeer ? 'tell-peer' : 'said-by-peer',
      });
      return;
    }
    const fail = (): void => {
      if (this.mayAnswer) sendQueue.sendAll();
      this.#apply({ is: 'failed', how: tellPeer ? 'tell-peer' : 'said-by-peer' });
    };
    if (raw === null) fail();
    else raw.whenWritten(fail);
  }

  #isMute(error: Error): boolean {
    if (this.#parts.protocol.endWords === 'stream-end') return true;
    return error instanceof ConnectionTimeoutError && (error.phase === 'send' || error.phase === 'heartbeat');
  }

  progress(): void {
    if (this.isEnding) this.#apply({ is: 'progress' });
  }

  /** Whether something outstanding may be all that keeps our side from ending. */
  get isEnding(): boolean {
    const { local, remote } = this.#state;
    return local.is === 'draining' || (local.is === 'open' && remote.is === 'finished');
  }

  peerFinished(clean: CleanEnd, reason: CloseReason | null): void {
    if (this.isPeerFinished) return;
    if (this.#state.local.is === 'opening')
      this.#error ??= this.#closedError(clean, 'the peer ended the connection before accepting it');
    this.#peerReason = reason;
    this.#peerClean = clean;
    this.#parts.raw?.ended();
    this.#apply({ is: 'peer-finished', clean });
    this.progress();
    // The notified code may have finished what held the connection.
    this.#holdUntilDeadline();
  }

  hurry(): void {
    this.#apply({ is: 'hurry' });
  }

  /** The program's time is over; what it sent until now is still accepted, and goes out. */
  flushOnly(): void {
    this.#isOutOfTime = true;
    this.#unread.isGivenUp = true;
    this.progress();
  }

  expired(error: Error | null): void {
    if (error !== null) this.#error ??= this.#parts.named(error);
    this.#apply({ is: 'expired' });
  }

  /** One event after the other: events caused by an action wait until all actions of the first event are performed. */
  #apply(event: LifecycleEvent): void {
    this.#events.push(event);
    if (this.#acting) return;
    this.#acting = true;
    try {
      for (let now = this.#events.shift(); now !== undefined; now = this.#events.shift()) {
        const { state, actions } = next(this.#state, now, this.#outstanding(), this.#parts.protocol.endWords);
        this.#enter(state);
        for (const action of actions) this.#perform(action);
      }
    } finally {
      this.#acting = false;
    }
  }

  #enter(state: LifecycleState): void {
    this.#state = state;
    this.mayAnswer = mayAnswer(state);
    this.#isOpenBothWays = state.local.is === 'open' && state.remote.is !== 'finished' && !this.#isDestroyed;
  }

  #perform(action: LifecycleAction): void {
    switch (action) {
      case 'resolve-opening':
        this.#hasOpened = true;
        this.#parts.isOpen();
        this.#opening?.resolve();
        this.#opening = null;
        break;
      case 'announce-draining':
        this.#parts.protocol.announceDrain();
        break;
      case 'publish-draining':
        this.#publishDraining();
        break;
      case 'fire-signal':
        this.#signalFired = true;
        this.#abort?.abort(this.#endReason());
        break;
      case 'hurry-requests':
        this.#parts.protocol.hurry(this.#endReason());
        break;
      case 'fail-outgoing':
        this.#parts.protocol.failOutgoing(() => this.#unanswered());
        break;
      case 'cancel-incoming':
        if (this.#parts.protocol.requestsHandled > 0) this.#parts.protocol.cancelIncoming(this.#endReason());
        break;
      case 'end-receiving':
        this.#parts.receiveQueue.end(
          this.#peerClean === false ? (this.#error ?? this.#unannounced()) : undefined,
        );
        break;
      case 'start-deadline':
        this.#watchUnread();
        break;
      case 'announce-end':
        this.#isAnnounced = true;
        this.#parts.protocol.announceEnd(this.#ownReason);
        this.#parts.writer.flush();
        break;
      case 'announce-failure':
        this.#parts.protocol.announceFailure(this.#error as Error, this.failedByProgram);
        this.#parts.writer.flush();
        break;
      case 'abandon':
        this.#abandon(this.#error as Error);
        break;
      case 'end-stream':
        this.#parts.writer.flush();
        this.#parts.stream.end();
        break;
      case 'linger-failed':
        this.#linger(this.#parts);
        break;
      case 'read-on':
        this.#parts.reading.resume();
        break;
      case 'await-peer-end':
        this.#ending.linger(Math.min(PEER_END_MS, this.#parts.limits.drainTimeout), () =>
          this.#parts.protocol.clean === false
            ? this.#drainError(PEER_END_MS, "the peer didn't end in turn")
            : null,
        );
        break;
      case 'linger':
        this.#ending.linger();
        break;
      case 'destroy':
        this.#breakOff(this.#error, this.#error !== undefined);
        break;
      case 'settle':
        this.#settle();
        break;
    }
  }

  /** By the end of the stream alone the peer would take a failure for an end. */
  #linger({ stream, protocol, limits }: EndingParts): void {
    const how = protocol.endWords === 'frame' ? 'end' : 'cut';
    this.lingering = new LingeringClose(stream, how, limits.sendTimeout);
  }

  /** Everything that waits on this side fails. */
  #abandon(error: Error): void {
    this.#opening?.reject(error);
    this.#parts.protocol.abandon(() => error);
    this.#parts.sendQueue.close(() => error);
    this.#parts.receiveQueue.end(error);
  }

  #outstanding(): Outstanding {
    const { receiveQueue, sendQueue, protocol, activity, raw, framing } = this.#parts;
    const unread = receiveQueue.consumed && !receiveQueue.paused && !this.#unread.isGivenUp;
    const isOutOfTime = this.#isOutOfTime;
    const handler = isOutOfTime ? 'none' : activity.handler(receiveQueue.pulled);
    return {
      incoming: isOutOfTime ? 0 : protocol.requestsWorkedOn,
      wanted: isOutOfTime ? 0 : protocol.requestsWanted,
      outgoing: protocol.requestsWaiting - protocol.requestsGivenUp,
      queuedBytes: sendQueue.waitingBytes,
      unread: unread ? receiveQueue.length : 0,
      listeners: isOutOfTime ? 0 : activity.listeners,
      handler,
      parked: receiveQueue.isParked,
      onlyPushes: this.#unread.isPusher || (protocol.received === 0 && protocol.sent > 0),
      raw: raw === null ? 'none' : raw.finished ? 'finished' : raw.sent ? 'sent' : 'open',
      endIsOurs:
        !isOutOfTime && this.#parts.role === 'client' && framing.name === 'raw' && receiveQueue.endTold,
    };
  }

  get #ending(): ClosingTimers {
    return (this.#timers ??= new ClosingTimers(this));
  }

  /** Limits how long something may hold the connection after the peer's end, unless the program holds it by a stream. */
  #holdUntilDeadline(): void {
    if (!this.mayAnswer || this.isStreamed) return;
    const { drainTimeout } = this.#parts.limits;
    const what = "the program didn't finish after the peer's end";
    this.#ending.endUnlessTaken(drainTimeout, () => this.#drainError(drainTimeout, what));
  }

  #watchUnread(): void {
    if (this.mayAnswer) this.#unread.start();
  }

  get isEndedByProgram(): boolean {
    const { local } = this.#state;
    return local.is === 'draining' && local.by === 'program';
  }

  #publishDraining(): void {
    this.#parts.protocol.publishDraining(() => this.#endReason());
    this.draining.publish();
  }

  #endReason(): Error {
    if (this.#error !== undefined) return this.#error;
    const { local, remote } = this.#state;
    if (remote.is === 'finished') {
      const did = remote.clean === true ? 'closed' : 'ended';
      return this.#closedError(remote.clean, `the peer ${did} the connection`);
    }
    const whose = local.is === 'open' ? 'the peer is draining' : 'the connection is closing';
    return this.#closedError('unknown', whose);
  }

  /** Why our requests get no answer, once the peer has ended. */
  #unanswered(): Error {
    if (this.#error !== undefined) return this.#error;
    return this.#closedError(this.#peerClean, 'the peer ended the connection before it answered');
  }

  #closedError(clean: CleanEnd, words: string): Error {
    return this.#parts.named(new ConnectionClosedError(clean, words));
  }

  #unannounced(unsent = 0): Error {
    const rest = unsent === 0 ? '' : `; ${unsent} bytes of ours were not sent`;
    const own = this.#isDestroyed && 'this side destroyed the connection';
    const words = own || 'the connection ended without a CLOSE frame of the peer';
    return this.#closedError(false, words + rest);
  }

  #drainError(wait: number, what: string): Error {
    const { unsent } = this.#parts;
    const rest = unsent === 0 ? '' : `; ${unsent} bytes were not sent`;
    return new ConnectionTimeoutError('drain', wait, `${what} within ${wait} ms${rest}`);
  }

  #settle(): void {
    this.#timers?.stop();
    this.lingering?.over();
    this.#unread.stop();
    const unsent = this.#parts.raw === null ? this.unsent : 0;
    const clean: CleanEnd = this.#error === undefined ? this.#parts.protocol.clean : false;
    if (clean === false || unsent > 0) this.#error ??= this.#unannounced(unsent);
    // Mostly no caller waits any more, and an error costs a stack trace.
    let made = this.#error;
    const why = (): Error => (made ??= this.goneError);
    this.#closed = {
      clean: this.#error === undefined ? clean : false,
      ...(this.#error !== undefined && { error: this.#error }),
      ...(unsent > 0 && { unsentBytes: unsent }),
      ...(this.#error === undefined && this.#peerReason),
    };
    this.#parts.raw?.closed(this.#error);
    this.#opening?.reject(why());
    this.#parts.protocol.abandon(why);
    this.#parts.sendQueue.close(why);
    this.#parts.receiveQueue.end(clean === false ? why() : undefined);
    this.#publishDraining();
    this.#perform('fire-signal');
    this.#parts.isOver();
    this.#closing?.resolve(this.#closed);
  }
}
