/**
 * Whether a connection reads: not while more input would have to be buffered. Until then control frames behind messages that
 * wait for the program are still read.
 */
import type { ByteStream } from '../transport/byte-stream.js';

/** What the gate reads, and where it reports. */
export interface ReadingEvents {
  /** Bytes received that wait for the program. */
  readonly heldBytes: number;
  /** Whether anything other than messages would have to be buffered. */
  readonly isInputFull: boolean;
  /** Whether further input is always read: we have ended, and all of it is discarded. */
  readonly readsAnyway: boolean;
  /** Asks for a sign of life to the peer, since this side reads nothing. */
  signOfLife(): void;
  /** Nothing was read for a second because of messages that the program doesn't take. */
  starved(heldBytes: number): void;
}

/** Above this many bytes waiting for the program, reading stops on framings without control frames. */
const HELD = 65_536;
/** Where control frames must be read behind messages, `maxQueuedBytes` more of these may wait, and at least this many bytes. */
const LEAST_BEHIND = 1_048_576;
/** How often a side that doesn't read sends a sign of life, in milliseconds. */
const SIGN_OF_LIFE_MS = 250;
/** After this many of these, messages that the program doesn't take are reported. */
const STARVED = 4;

export class ReadingGate {
  readonly #stream: ByteStream;
  readonly #events: ReadingEvents;
  readonly #most: number;
  readonly #signs: boolean;
  #timer: NodeJS.Timeout | undefined;
  isHeld = false;

  /** @param maxQueuedBytes null on framings without control frames */
  constructor(stream: ByteStream, events: ReadingEvents, maxQueuedBytes: number | null) {
    this.#stream = stream;
    this.#events = events;
    this.#signs = maxQueuedBytes !== null;
    this.#most = maxQueuedBytes === null ? HELD : maxQueuedBytes + Math.max(maxQueuedBytes, LEAST_BEHIND);
  }

  /** Whether the messages waiting for the program have reached the limit. */
  get isFull(): boolean {
    return this.#events.heldBytes > this.#most;
  }

  holdIfFull(): void {
    if (this.#mustHold()) this.hold();
  }

  hold(): void {
    if (this.isHeld) return;
    this.isHeld = true;
    this.#stream.pause();
    if (!this.isFull) return;
    let signs = 0;
    this.#timer = setInterval(() => {
      if (this.#signs) this.#events.signOfLife();
      signs += 1;
      if (signs === STARVED) this.#events.starved(this.#events.heldBytes);
    }, SIGN_OF_LIFE_MS).unref();
  }

  /** Resumes reading, if it was paused and there is room. */
  resume(): void {
    if (!this.isHeld || this.#mustHold()) return;
    this.isHeld = false;
    clearInterval(this.#timer);
    this.#stream.resume();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #mustHold(): boolean {
    if (this.#events.readsAnyway) return false;
    return this.isFull || this.#events.isInputFull;
  }
}
