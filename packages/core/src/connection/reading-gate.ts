/**
 * Whether a connection reads: not while more input would have to be kept. Until then control frames behind messages that
 * wait for the program are still read.
 */
import type { ByteStream } from '../transport/byte-stream.js';

/** What the gate looks at, and what it reports to. */
export interface ReadingEvents {
  /** Bytes received that wait for the program. */
  readonly heldBytes: number;
  /** Whether something else than messages would have to be kept. */
  readonly isInputFull: boolean;
  /** Whether what still comes is read in any case: we have ended, and it is all read away. */
  readonly readsAnyway: boolean;
  /** The peer shall see that this side lives, although it reads nothing. */
  signOfLife(): void;
  /** For a second nothing was read because of messages that nobody takes. */
  starved(heldBytes: number): void;
}

/** Above this many bytes waiting for the program, reading stops on framings without control frames. */
const HELD = 65_536;
/** Where control frames have to be read behind messages, `maxQueuedBytes` more of these may wait, and at least so many bytes. */
const LEAST_BEHIND = 1_048_576;
/** So often a side that doesn't read says that it lives, in milliseconds. */
const SIGN_OF_LIFE_MS = 250;
/** After so many of these, messages that nobody takes are reported. */
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

  /** Whether as many messages wait for the program as may. */
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

  /** Reads on, if reading was held and there is room. */
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
