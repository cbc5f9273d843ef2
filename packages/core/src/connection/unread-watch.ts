/**
 * While a connection is ending: messages that the program doesn't take delay the end by a second at most; so do a handler that only
 * sends beside them, and a stream that is written no more.
 */
import type { EndingParts } from './ending-parts.js';

/** After this long without one taken, unread messages no longer delay the end. */
const UNREAD_MS = 1_000;

/** What the watch acts on. */
export interface UnreadEvents {
  /** Whether the program itself has asked for the end. */
  readonly isEndedByProgram: boolean;
  progress(): void;
}

export class UnreadWatch {
  /** Whether the program only sends, and takes none of the peer's messages. */
  isPusher = false;
  /** Whether unread messages no longer delay the end. */
  isGivenUp = false;
  readonly #parts: EndingParts;
  readonly #events: UnreadEvents;
  #timer: NodeJS.Timeout | undefined;
  #left = -1;
  #sent = 0;
  #bytesTaken = 0;

  constructor(parts: EndingParts, events: UnreadEvents) {
    this.#parts = parts;
    this.#events = events;
  }

  start(): void {
    if (this.#timer !== undefined) return;
    this.#sent = this.#parts.protocol.sent;
    this.#bytesTaken = this.#parts.bytesTaken;
    this.#timer = setInterval(() => {
      this.#look();
    }, UNREAD_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const { receiveQueue, activity, protocol, raw, unsent, bytesTaken } = this.#parts;
    if (unsent === 0 && bytesTaken === this.#bytesTaken && this.#events.isEndedByProgram) raw?.endIdle();
    this.#bytesTaken = bytesTaken;
    const left = receiveQueue.length;
    this.isPusher = receiveQueue.pulled === 0 && left > 0 && protocol.sent > this.#sent;
    this.#sent = protocol.sent;
    if (this.isPusher) this.#events.progress();
    if (left === 0 || activity.listeners > 0 || activity.handler(receiveQueue.pulled) === 'running') return;
    if (left !== this.#left) {
      this.#left = left;
      return;
    }
    this.isGivenUp = true;
    this.stop();
    this.#events.progress();
  }
}
