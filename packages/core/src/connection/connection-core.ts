/**
 * The inside of a connection: joins the stream below, the protocol that interprets its bytes, the two queues and the
 * end. All parts report here; what concerns the end is passed on to `connection-end.ts`.
 */
import { asError } from '../errors/as-error.js';
import { fromConnection } from '../errors/from-node.js';
import { ConnectionError, EasySocketError } from '../errors/index.js';
import type { Framing } from '../framing/framing.js';
import { isKnsock } from '../framing/index.js';
import type { Limits } from '../policy/limits.js';
import type { ByteStream, ByteStreamEvents } from '../transport/byte-stream.js';
import { addressOf, showPeer } from '../transport/proxy-header.js';
import { Activity } from './activity.js';
import { ConnectionEnd } from './connection-end.js';
import type { CleanEnd, ClosedInfo, RequestHandler, SecureConnection } from './connection-types.js';
import { nameAddress } from '../errors/name-address.js';
import { follow, isThenable } from '../errors/thenable.js';
import type { EndingParts } from './ending-parts.js';
import { FifoProtocol } from './fifo-protocol.js';
import { KnsockProtocol } from './knsock-protocol.js';
import type { CloseReason, Protocol, ProtocolHost } from './protocol.js';
import type { RawBytes } from './raw-stream.js';
import { ReadingGate, type ReadingEvents } from './reading-gate.js';
import { LateSends } from './late-sends.js';
import type { Lending } from './lending.js';
import { callListener } from './listener-call.js';
import { ReceiveQueue, type MessageListener, type ReceiveQueueEvents } from './receive-queue.js';
import { SendQueue, type SendQueueEvents } from './send-queue.js';
import { ConnectionTimeouts, needsTimeouts, withoutHeartbeat, type TimeoutEvents } from './timeouts.js';
import { TurnBudget } from './turn-budget.js';
import { WatchedPromise } from './watched-promise.js';
import { Writer, type WriterEvents } from './writer.js';

/** What a core is made of; every value is set. */
export interface CoreSettings<In, Out> {
  readonly role: 'client' | 'server';
  readonly framing: Framing<In, Out>;
  readonly limits: Limits;
  readonly maxLifetime: number | null;
  readonly requestHandler: RequestHandler<In, Out> | null;
  /** The Unix socket that it came by; absent on TCP. */
  readonly path?: string | undefined;
  /** What an end before the first byte means, also one by an error, where the layer below knows. */
  readonly explainEnd: ((error?: Error) => Error | null) | null;
  /** Takes failures that no caller waits for. */
  readonly failures: {
    report(error: unknown, context: FailureContext<In, Out>, what?: string): void;
    run(action: () => unknown, context: FailureContext<In, Out>, what?: string): void;
  };
}

interface FailureContext<In, Out> {
  readonly connection: SecureConnection<In, Out>;
  readonly request: object | null;
}

/** The connection as its program sees it, notified when it is gone. */
export interface CoreOwner<In, Out> extends SecureConnection<In, Out> {
  gone(): void;
}

export class ConnectionCore<In, Out>
  implements
    ByteStreamEvents,
    ProtocolHost<In, Out>,
    ReceiveQueueEvents,
    SendQueueEvents,
    WriterEvents,
    TimeoutEvents,
    ReadingEvents,
    EndingParts
{
  readonly role: 'client' | 'server';
  readonly connection: CoreOwner<In, Out>;
  readonly framing: Framing<In, Out>;
  readonly limits: Limits;
  readonly stream: ByteStream;
  readonly writer: Writer;
  readonly protocol: Protocol<In, Out>;
  readonly receiveQueue: ReceiveQueue<In>;
  readonly sendQueue: SendQueue;
  readonly lateSends: LateSends;
  readonly reading: ReadingGate;
  readonly activity = new Activity();
  readonly budget = new TurnBudget(this);
  readonly ending: ConnectionEnd;
  /** Receives the raw bytes, once the program has taken them over. */
  raw: RawBytes | null = null;
  bytesReceived = 0;
  /** Messages that were not taken because of the peer. */
  messagesDropped = 0;
  isHandedOut: boolean;
  /** Whether chunks of bytes may come in memory that is used again after `data`. */
  lends = false;
  /** Runs the handler that waits for the next turn, which may be far away where much else is ready. */
  beforeData: (() => void) | null = null;
  readonly #settings: CoreSettings<In, Out>;
  #timeouts: ConnectionTimeouts | null = null;
  #closed: Promise<ClosedInfo> | null = null;
  /** What was reported of its stream. */
  #told: Error | null = null;

  constructor(stream: ByteStream, settings: CoreSettings<In, Out>, connection: CoreOwner<In, Out>) {
    this.#settings = settings;
    this.role = settings.role;
    this.connection = connection;
    this.stream = stream;
    this.framing = settings.framing;
    const isFramed = isKnsock(settings.framing);
    this.limits = isFramed ? settings.limits : withoutHeartbeat(settings.limits);
    this.isHandedOut = settings.requestHandler !== null;
    this.ending = new ConnectionEnd(this);
    this.writer = new Writer(stream, this);
    this.sendQueue = new SendQueue(stream, this.writer, settings.limits.maxQueuedBytes, this, this);
    this.lateSends = new LateSends(this.sendQueue, settings.limits.maxRequestsInFlight, this);
    this.receiveQueue = new ReceiveQueue<In>(this, this.budget, settings.limits.maxRequestsInFlight, this);
    this.reading = new ReadingGate(stream, this, isFramed ? settings.limits.maxQueuedBytes : null);
    this.protocol = isFramed ? new KnsockProtocol(this, settings.role) : new FifoProtocol(this);
    if (settings.requestHandler !== null) this.protocol.handle(settings.requestHandler);
  }

  /** Null where both sides may send at once; otherwise resolves once they may, and rejects where that never happens. */
  start(): Promise<void> | null {
    this.protocol.start();
    this.writer.flush();
    this.stream.open(this);
    return this.ending.opening();
  }

  /** The program has the connection, and had its turn to set its handlers. */
  handedOut(): void {
    this.isHandedOut = true;
    this.protocol.handedOut();
    // The requests that waited for it may have been all that delayed an end.
    this.ending.progress();
  }

  // ── calls of the program ──

  /** Ends the connection for a reason of the library's, which is sent to the peer where the framing has a frame for it. */
  fail(error: Error, tellPeer = true, byProgram = false): void {
    this.ending.fail(error, tellPeer, byProgram);
  }

  destroy(error: Error | undefined, cutsShort?: boolean): void {
    this.ending.destroy(error, cutsShort);
  }

  get isPeerFinished(): boolean {
    return this.ending.isPeerFinished;
  }

  get isGone(): boolean {
    return this.ending.isGone;
  }

  get mayAnswer(): boolean {
    return this.ending.mayAnswer;
  }

  get goneError(): Error {
    return this.ending.goneError;
  }

  /** What the program waits for the end by. */
  get closed(): Promise<ClosedInfo> {
    this.#waitsForEnd();
    return (this.#closed ??= new WatchedPromise(this.ending.closed, () => {
      this.#waitsForEnd();
    }));
  }

  #waitsForEnd(): void {
    this.activity.read(this.receiveQueue.pulled);
    // It may have been all that held the connection open.
    if (this.ending.isEnding) process.nextTick(progress, this.ending);
  }

  isOpen(): void {
    if (needsTimeouts(this.limits, this.#settings.maxLifetime)) this.#timeouts ??= this.#watch();
  }

  isOver(): void {
    this.#timeouts?.stop();
    this.reading.stop();
    this.connection.gone();
  }

  /** Runs the program's code: an exception ends this connection, and nothing else. */
  guard(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.ending.fail(asError(error), true, true);
    }
  }

  /** Reports a failure that no caller waits for. @param what what failed; default a handler */
  report(error: Error, request: object | null = null, what?: string): void {
    if (what === undefined && this.isOwnEnd(error)) return;
    this.#settings.failures.report(error, { connection: this.connection, request }, what);
  }

  /** A handler's failure that ends its stream as well is one failure. */
  streamFailed(error: Error): void {
    if (this.ending.failedByProgram && this.ending.goneError === error) return;
    this.#told = error;
    this.report(error, null, 'a stream without a listener of errors');
  }

  /** Whether a call failed only because the connection ended, which `closed` reports, or was reported already. */
  isOwnEnd(error: unknown): boolean {
    if (error === this.#told) return true;
    return error instanceof ConnectionError && (this.isPeerFinished || !this.mayAnswer);
  }

  unawaited(error: Error, call: string): void {
    this.report(error, null, `${call} that was not awaited`);
  }

  named<E extends Error>(error: E): E {
    return nameAddress(error, addressOf(this.role, this.connection.remote, this.#settings.path ?? null));
  }

  /** Runs a server's handler; its failure ends this connection. @returns whether it is still running */
  handleBy(handler: () => unknown): boolean {
    let handling: unknown;
    this.guard(() => {
      handling = handler();
    });
    if (!isThenable(handling)) return false;
    this.#followHandler(handling);
    return true;
  }

  #followHandler(handling: PromiseLike<unknown>): void {
    this.activity.beginHandler();
    follow(
      handling,
      () => {
        this.activity.endHandler();
        this.raw?.handlerReturned();
        this.ending.progress();
      },
      (error) => {
        this.activity.endHandler();
        this.ending.fail(asError(error), true, true);
      },
    );
  }

  onDraining(listener: () => void): void {
    this.ending.draining.listen(() => {
      const { connection } = this;
      this.#settings.failures.run(listener, { connection, request: null }, 'a listener of onDraining');
    });
  }

  // ── bytes in ──

  get copiesNext(): number {
    return this.raw === null && this.ending.lingering === null ? this.protocol.copiesNext : 0;
  }

  data(chunk: Buffer): void {
    this.bytesReceived += chunk.length;
    this.beforeData?.();
    if (this.ending.lingering !== null) {
      this.ending.lingering.discard(chunk);
      return;
    }
    if (this.raw !== null) {
      if (!this.raw.push(chunk)) this.reading.hold();
      return;
    }
    this.budget.begin();
    this.writer.hold();
    try {
      this.protocol.push(chunk);
    } catch (error) {
      this.fail(asError(error));
    }
    this.writer.release();
    this.reading.holdIfFull();
  }

  end(): void {
    if (this.ending.lingering !== null) return;
    const explained = this.#explained();
    if (explained !== null) {
      this.fail(explained);
      return;
    }
    try {
      this.protocol.end();
    } catch (error) {
      this.fail(asError(error));
    }
  }

  drain(): void {
    this.sendQueue.drained();
    this.raw?.drained();
  }

  gone(error: Error | undefined): void {
    const peer = showPeer(this.role, this.connection.remote, this.#settings.path ?? null);
    this.ending.gone(error && fromConnection(this.#explained(error) ?? error, this.role, peer));
  }

  #explained(error?: Error): Error | null {
    return (this.bytesReceived === 0 && this.#settings.explainEnd?.(error)) || null;
  }

  // ── what the protocol reports ──

  progress(): void {
    this.ending.progress();
  }

  peerFinished(clean: CleanEnd, reason: CloseReason | null): void {
    this.ending.peerFinished(clean, reason);
  }

  opened(): void {
    this.ending.opened();
  }

  deliver(message: In, bytes: number): void {
    // After our own end the program will read no more than what fits.
    if (!this.ending.mayAnswer && this.reading.isFull) return;
    this.receiveQueue.push(message, bytes);
  }

  divertMessages(): In[] {
    this.receiveQueue.closeTo('each is a request to the handler of onRequest() on this framing');
    const messages = this.receiveQueue.takeAll();
    this.reading.resume();
    return messages;
  }

  peerDraining(): void {
    this.ending.peerDraining();
  }

  written(): void {
    this.sendQueue.written();
  }

  // ── what the queues report ──

  emptied(): void {
    this.reading.resume();
    this.ending.progress();
  }

  idle(): void {
    this.ending.progress();
  }

  endTold(): void {
    this.activity.told();
  }

  get isAnswerQueueFull(): boolean {
    return this.sendQueue.isFull;
  }

  /** @throws EasySocketError KNSOCK_CONSUMED where the messages have a consumer already */
  onMessage(listener: MessageListener<In>, lending: Lending | null): void {
    this.receiveQueue.listen(listener, lending);
    if (lending !== null) this.lends = this.protocol.lend();
  }

  callListener(listener: (message: never) => unknown, message: unknown): boolean {
    return callListener(this, listener, message);
  }

  encode(bytes: Uint8Array): void {
    this.protocol.send(bytes);
  }

  check(bytes: Uint8Array): void {
    this.protocol.check(bytes);
  }

  congested(): void {
    (this.#timeouts ??= this.#watch()).congested();
  }

  /** There is room again. */
  relieved(): void {
    if (!this.sendQueue.congested) this.#timeouts?.relieved();
    this.goOn();
  }

  dropped(why: Error | null): void {
    this.messagesDropped += 1;
    if (why !== null) this.report(why, null, "a write that didn't wait for ready()");
  }

  // ── what the timeouts and the reading gate read ──

  get activityCount(): number {
    if (this.limits.heartbeat !== null) return this.protocol.received + this.protocol.sent;
    return this.stream.bytesRead + this.bytesTaken;
  }

  get isAtWork(): boolean {
    const { requestsWaiting, requestsGivenUp, requestsWanted } = this.protocol;
    return requestsWaiting > requestsGivenUp || requestsWanted > 0 || this.activity.listeners > 0;
  }

  get messagesReceived(): number {
    return this.raw === null ? this.protocol.received : this.bytesReceived;
  }

  get bytesTaken(): number {
    return this.stream.bytesTaken;
  }

  /** Bytes of ours that the system hasn't taken. */
  get unsent(): number {
    return this.sendQueue.queuedBytes;
  }

  get isReadingHeld(): boolean {
    return this.reading.isHeld;
  }

  /** Whether more input would have to be kept; a raw stream's two directions are independent. */
  get isInputFull(): boolean {
    return this.raw === null && (this.protocol.full || this.sendQueue.overfull);
  }

  get heldBytes(): number {
    return this.receiveQueue.heldBytes;
  }

  /** Whether further input is read in any case. */
  get readsAnyway(): boolean {
    return !this.ending.mayAnswer || this.ending.lingering !== null;
  }

  signOfLife(): void {
    if (!this.sendQueue.congested) this.protocol.signOfLife();
  }

  stalled(): string | null {
    if (!this.reading.isHeld || !this.reading.isFull) return null;
    return `${this.heldBytes} bytes of messages wait here to be taken, so nothing more is read`;
  }

  /** Requests are blocked behind messages that the program doesn't take. */
  starved(heldBytes: number): void {
    const { requestsWaiting } = this.protocol;
    if (requestsWaiting === 0 || this.receiveQueue.isParked) return;
    const message = `${heldBytes} bytes of messages wait to be taken, so nothing more is read, and ${requestsWaiting} requests can't get their answers`;
    this.report(this.named(new EasySocketError('KNSOCK_UNREAD_MESSAGES', message)), null, 'a connection');
  }

  ping({ timeout }: { timeout: number }): Promise<number> {
    return this.protocol.ping(timeout, undefined);
  }

  retire(): void {
    this.ending.close(this.limits.drainTimeout, 'library', null);
  }

  listenerFailed(error: unknown): void {
    this.receiveQueue.takeAll(); // a listener that failed is given nothing more
    this.report(asError(error));
    this.ending.fail(asError(error), true, true);
  }

  /** Continues after a pause: the next turn has come, or the peer reads again. */
  goOn(): void {
    this.protocol.resume();
    this.receiveQueue.serve();
    this.reading.resume();
    this.ending.progress();
  }

  #watch(): ConnectionTimeouts {
    return new ConnectionTimeouts(this, this.limits, this.#settings.maxLifetime);
  }
}

function progress(ending: { progress(): void }): void {
  ending.progress();
}
