/**
 * Everything that goes out, in one order and under one bound: messages, requests and answers are encoded at once while
 * the peer keeps up, and wait here, in the order of the calls, while it doesn't.
 *
 * Rules
 * - `maxQueuedBytes` limits what `write` and `post` add. A message larger than the bound is accepted when nothing waits.
 * - What a caller waits for (`send`, `request`) may wait beyond it: the caller holds the bytes in any case, and how many
 *   such calls there may be is limited by their number.
 * - Answers are owed: they keep their place in the order and are never refused. While too many of them wait, nothing
 *   that would produce more of them is started (`overfull`).
 * - Control frames have no order to keep and go straight to the writer.
 */
import { EasySocketError } from '../errors/index.js';
import type { ByteStream } from '../transport/byte-stream.js';
import { standingAlone, type CallFailures } from './call-failures.js';
import { Deferred } from './deferred.js';
import type { Writer } from './writer.js';

/** What a send queue reports to its connection. */
export interface SendQueueEvents {
  /** Encodes one message into the writer. @throws ProtocolError */
  encode(bytes: Uint8Array): void;
  /** Throws what `encode` would, before a message is accepted that is encoded later. @throws ProtocolError */
  check(bytes: Uint8Array): void;
  /** The peer reads more slowly than we send. */
  congested(): void;
  /** There is room again. */
  relieved(): void;
  /** A message wasn't accepted, and its sender didn't wait for room. @param why for the first one until there is room */
  dropped(why: Error | null): void;
}

/** An entry that waits for its turn. */
export interface Waiting {
  readonly bytes: number;
  /** Its turn has come: writes it. @throws where it can't be written */
  send(): void;
  failed(error: Error): void;
}

/** Above this many bytes unsent the program is asked to wait; above Node's own mark, so that `drain` will be emitted. */
const CONGESTED = 65_536;

export class SendQueue {
  readonly #events: SendQueueEvents;
  readonly #failures: CallFailures;
  readonly #stream: ByteStream;
  readonly #writer: Writer;
  readonly #maxBytes: number;
  /** Created when the peer first reads more slowly than we send. */
  #waiting: Set<Waiting> | null = null;
  #waitingBytes = 0;
  #owed = 0;
  #readyWaiters: Deferred<void>[] = [];
  #congested = false;
  #toldFull = false;
  #closed: (() => Error) | null = null;

  constructor(
    stream: ByteStream,
    writer: Writer,
    maxBytes: number,
    events: SendQueueEvents,
    failures = standingAlone,
  ) {
    this.#events = events;
    this.#failures = failures;
    this.#stream = stream;
    this.#writer = writer;
    this.#maxBytes = maxBytes;
  }

  /** Bytes accepted by this library and not yet by the system. */
  get queuedBytes(): number {
    return this.#writer.gatheredBytes + this.#stream.queuedBytes + this.#waitingBytes;
  }

  /** Bytes accepted that the stream hasn't been given yet. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** Whether anything waits for room. */
  get isWaiting(): boolean {
    return this.#waiting !== null && this.#waiting.size > 0;
  }

  get congested(): boolean {
    return this.#congested;
  }

  /** Whether even the protocol's own frames must stop: the peer sends requests and doesn't read the answers. */
  get overfull(): boolean {
    return this.#congested && this.#stream.queuedBytes + this.#owed > this.#maxBytes;
  }

  /** Whether the program has filled the queue: then it gets nothing more to answer. */
  get isFull(): boolean {
    return this.#congested && this.queuedBytes > this.#maxBytes;
  }

  /** Whether a message of that many bytes may be accepted now. */
  hasRoomFor(bytes: number): boolean {
    const queued = this.queuedBytes;
    // What the system is about to take doesn't count against a small bound: otherwise nothing would ever go out.
    return queued === 0 || queued + bytes <= Math.max(this.#maxBytes, this.#congested ? 0 : CONGESTED);
  }

  /** False means to wait for `ready()`; over the bound nothing is accepted, and `dropped` reports it. */
  write(bytes: Uint8Array): boolean {
    if (!this.#congested) {
      this.#events.encode(bytes);
      // Whether the peer keeps up must show within one turn, too.
      if (this.#writer.gatheredBytes > CONGESTED) this.#writer.flush();
      return !this.#isCongested();
    }
    this.#events.check(bytes);
    if (this.hasRoomFor(bytes.length)) this.#hold(new WaitingMessage(bytes, this.#events, null));
    else this.#drop(bytes.length);
    return false;
  }

  /** As `write`, for callers that drop a message rather than wait: whether it was accepted. */
  post(bytes: Uint8Array): boolean {
    if (this.#congested && !this.hasRoomFor(bytes.length)) return false;
    this.write(bytes);
    return true;
  }

  /**
   * Sends a message, or queues it; null where it is on its way already.
   * @param settle called once with the outcome of a message that waits
   */
  send(bytes: Uint8Array, settle: (error: Error | null) => void): Waiting | null {
    if (!this.#congested) {
      this.#events.encode(bytes);
      return null;
    }
    this.#events.check(bytes);
    const waiting = new WaitingMessage(bytes, this.#events, settle);
    this.#hold(waiting);
    return waiting;
  }

  /** Sends an answer, behind what waits. */
  answer(bytes: number, send: () => void): void {
    if (!this.isWaiting) {
      send();
      return;
    }
    this.#owed += bytes;
    this.#hold({
      bytes,
      send: () => {
        this.#owed -= bytes;
        send();
      },
      failed: () => undefined,
    });
  }

  /** Whether what comes now has to wait. */
  get mustWait(): boolean {
    return this.#congested || this.isWaiting;
  }

  /** Queues an entry. */
  hold(waiting: Waiting): void {
    this.#hold(waiting);
  }

  /** Withdraws what has not been sent; false where it is too late. */
  takeBack(waiting: Waiting | null): boolean {
    if (waiting === null || this.#waiting?.delete(waiting) !== true) return false;
    this.#waitingBytes -= waiting.bytes;
    return true;
  }

  ready(): Promise<void> {
    if (this.#closed === null && !this.#congested) return Promise.resolve();
    const waiter = new Deferred<void>();
    // A call that isn't awaited must not end the process.
    waiter.promise.catch(() => undefined);
    if (this.#closed === null) this.#readyWaiters.push(waiter);
    else waiter.reject(this.#closed());
    return waiter.promise;
  }

  /** A batch was written: is the peer keeping up? */
  written(): void {
    if (this.#congested || this.#stream.queuedBytes <= CONGESTED) return;
    this.#congested = true;
    this.#events.congested();
  }

  /** Writes all that waits, whatever the peer takes: nothing more will be sent. */
  sendAll(): void {
    this.#sendWaiting(true);
  }

  drained(): void {
    if (!this.#congested || this.#closed !== null) return;
    this.#congested = false;
    this.#sendWaiting();
    // Sending may have filled the queue again.
    if (this.#isCongested()) return;
    this.#toldFull = false;
    this.#events.relieved();
    const waiters = this.#readyWaiters;
    this.#readyWaiters = [];
    for (const waiter of waiters) waiter.resolve();
  }

  /** @param why created only where a caller waits */
  close(why: () => Error): void {
    if (this.#closed !== null) return;
    this.#closed = why;
    const waiting = this.#waiting;
    this.#waiting = null;
    for (const one of waiting ?? []) one.failed(why());
    for (const waiter of this.#readyWaiters) waiter.reject(why());
    this.#readyWaiters = [];
  }

  /**
   * Why a message of that many bytes isn't accepted.
   * @param calls how many calls wait beyond the bound already, where that is the limit
   */
  fullError(bytes: number, calls?: number): EasySocketError {
    const beyond =
      calls === undefined ? '' : `, beyond which ${calls} calls of send wait already (maxRequestsInFlight)`;
    const message = `${this.queuedBytes} bytes wait until the peer has read what was sent before, and ${bytes} more are over the limit of ${this.#maxBytes} (maxQueuedBytes)${beyond}`;
    return this.#failures.named(new EasySocketError('KNSOCK_QUEUE_FULL', message));
  }

  /** A slow peer must not make the program's call throw, nor report every message of a loop that ignores the result. */
  #drop(bytes: number): void {
    const why = this.#toldFull ? null : this.fullError(bytes);
    this.#toldFull = true;
    this.#events.dropped(why);
  }

  #hold(waiting: Waiting): void {
    (this.#waiting ??= new Set<Waiting>()).add(waiting);
    this.#waitingBytes += waiting.bytes;
  }

  #sendWaiting(all = false): void {
    for (const waiting of this.#waiting ?? []) {
      if (this.#congested && !all) break;
      this.takeBack(waiting);
      try {
        waiting.send();
      } catch (error) {
        waiting.failed(error as Error);
      }
      // Whether the peer keeps up shows once bytes are written; until there are enough of them they are gathered.
      if (this.#writer.gatheredBytes > CONGESTED) this.#writer.flush();
    }
    this.#writer.flush();
  }

  #isCongested(): boolean {
    return this.#congested;
  }
}

class WaitingMessage implements Waiting {
  readonly #message: Uint8Array;
  readonly #events: SendQueueEvents;
  readonly #settle: ((error: Error | null) => void) | null;

  constructor(message: Uint8Array, events: SendQueueEvents, settle: ((error: Error | null) => void) | null) {
    this.#message = message;
    this.#events = events;
    this.#settle = settle;
  }

  get bytes(): number {
    return this.#message.length;
  }

  send(): void {
    this.#events.encode(this.#message);
    this.#settle?.(null);
  }

  failed(error: Error): void {
    this.#settle?.(error);
  }
}
