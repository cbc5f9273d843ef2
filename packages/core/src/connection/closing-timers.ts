/** The deadlines while closing: for draining, for what remains after the peer's end, and for the peer's own end. */
import { LINGER_MS } from './lingering-close.js';

/** What the timers read, and where they report. */
export interface ClosingEvents {
  /** Whether a stream or a relay has the bytes: it ends each direction itself. */
  readonly isStreamed: boolean;
  /** Bytes of ours that the system hasn't taken, and the number that it has. */
  readonly unsent: number;
  readonly bytesTaken: number;
  /** Most of the time for draining is over. */
  hurry(): void;
  /** The program's time is over, and the peer is still taking what the program had sent. */
  flushOnly(): void;
  /** A deadline passed. @param error why that is a failure; null where nothing was lost */
  expired(error: Error | null): void;
}

/** The fraction of the drain time after which the program is asked to finish. */
const HURRY = 2 / 3;

export class ClosingTimers {
  readonly #events: ClosingEvents;
  #deadline: NodeJS.Timeout | undefined;
  #deadlineAt = Number.POSITIVE_INFINITY;
  #hurry: NodeJS.Timeout | undefined;
  #lingering: NodeJS.Timeout | undefined;
  #holding: NodeJS.Timeout | undefined;

  constructor(events: ClosingEvents) {
    this.#events = events;
  }

  /** Ends the connection after `wait` ms at the latest; an earlier deadline stays. @param why created when it passes */
  endBy(wait: number, why: () => Error, hurries: boolean): void {
    const at = performance.now() + wait;
    if (at >= this.#deadlineAt) return;
    this.#deadlineAt = at;
    clearTimeout(this.#deadline);
    clearTimeout(this.#hurry);
    this.#deadline = setTimeout(() => {
      this.#events.expired(why());
    }, wait);
    if (!hurries) return;
    this.#hurry = setTimeout(() => {
      this.#events.hurry();
    }, wait * HURRY);
  }

  /**
   * Gives the program `wait` ms, then ends the connection after another `wait` ms in which the peer took nothing of what is
   * left. @param why created when it passes
   */
  endUnlessTaken(wait: number, why: () => Error): void {
    clearTimeout(this.#holding);
    const { bytesTaken } = this.#events;
    this.#holding = setTimeout(() => {
      // The bytes may have been taken over since.
      if (this.#events.isStreamed) return;
      if (!this.#isTaking(bytesTaken)) {
        this.#events.expired(why());
        return;
      }
      this.endUnlessTaken(wait, why);
      this.#events.flushOnly();
    }, wait);
  }

  /** Ends the connection once the peer had `wait` ms for its own end, counted after the last of our bytes. */
  linger(wait: number = LINGER_MS, why: () => Error | null = nothing): void {
    clearTimeout(this.#lingering);
    clearTimeout(this.#holding);
    clearTimeout(this.#hurry);
    const { bytesTaken } = this.#events;
    this.#lingering = setTimeout(() => {
      // While the peer still takes what was sent before, its own end can't come.
      if (this.#isTaking(bytesTaken)) this.linger(wait, why);
      else this.#events.expired(why());
    }, wait);
  }

  stop(): void {
    clearTimeout(this.#deadline);
    clearTimeout(this.#hurry);
    clearTimeout(this.#lingering);
    clearTimeout(this.#holding);
  }

  #isTaking(since: number): boolean {
    return this.#events.unsent > 0 && this.#events.bytesTaken !== since;
  }
}

function nothing(): null {
  return null;
}
