/**
 * The deadlines of an open connection: first message, idle, heartbeat, slow reader, lifetime. Nothing is done per
 * message: each watch looks at counters now and then, and a connection without such limits has no timer at all.
 */
import { ConnectionTimeoutError } from '../errors/index.js';
import type { Limits } from '../policy/limits.js';

/** What the vigil looks at and may do. */
export interface Watched {
  /** Grows with every message, and with every byte where no heartbeat muddles the count. */
  readonly activity: number;
  readonly bytesReceived: number;
  /** Whole messages and requests; of a raw stream, bytes. */
  readonly messagesReceived: number;
  /** Bytes that the system took from us. */
  readonly bytesTaken: number;
  /** Whether we ourselves have stopped reading. */
  readonly readingHeld: boolean;
  ping(options: { timeout: number }): Promise<number>;
  /** Ends the connection by agreement, as its time is over. */
  retire(): void;
  fail(error: Error): void;
}

/** Whether there is anything to watch from the beginning; most connections only ever need it for a slow reader. */
export function needsVigil(limits: Limits, maxLifetime: number | null): boolean {
  const { idleTimeout, firstMessageTimeout, heartbeat } = limits;
  return [idleTimeout, firstMessageTimeout, heartbeat, maxLifetime].some((limit) => limit !== null);
}

/** An idle connection is noticed within a quarter of its time. */
const IDLE_LOOKS = 4;

export class Vigil {
  readonly #watched: Watched;
  readonly #limits: Limits;
  #timers: NodeJS.Timeout[] = [];
  #sendTimer: NodeJS.Timeout | null = null;

  constructor(watched: Watched, limits: Limits, maxLifetime: number | null) {
    this.#watched = watched;
    this.#limits = limits;
    if (limits.idleTimeout !== null) this.#watchIdle(limits.idleTimeout);
    if (limits.firstMessageTimeout !== null) this.#watchFirstMessage(limits.firstMessageTimeout);
    if (limits.heartbeat !== null) this.#watchHeart(limits.heartbeat.interval, limits.heartbeat.timeout);
    if (maxLifetime !== null) this.#after(maxLifetime, () => watched.retire());
  }

  /** The peer reads slowly: from now on it must take something within `sendTimeout`. */
  congested(): void {
    if (this.#sendTimer !== null) return;
    const { sendTimeout } = this.#limits;
    let taken = this.#watched.bytesTaken;
    this.#sendTimer = setInterval(() => {
      if (this.#watched.bytesTaken !== taken) {
        taken = this.#watched.bytesTaken;
        return;
      }
      this.#watched.fail(
        new ConnectionTimeoutError('send', sendTimeout, `the peer read nothing for ${sendTimeout} ms`),
      );
    }, sendTimeout);
    this.#sendTimer.unref();
  }

  /** The peer caught up. */
  relieved(): void {
    if (this.#sendTimer !== null) clearInterval(this.#sendTimer);
    this.#sendTimer = null;
  }

  stop(): void {
    this.relieved();
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers = [];
  }

  #watchIdle(timeout: number): void {
    let activity = this.#watched.activity;
    let since = performance.now();
    this.#every(Math.max(1, Math.ceil(timeout / IDLE_LOOKS)), () => {
      const now = performance.now();
      if (this.#watched.activity !== activity) {
        activity = this.#watched.activity;
        since = now;
      } else if (now - since >= timeout) {
        this.#watched.fail(
          new ConnectionTimeoutError('idle', timeout, `nothing was sent either way for ${timeout} ms`),
        );
      }
    });
  }

  #watchFirstMessage(timeout: number): void {
    this.#after(timeout, () => {
      if (this.#watched.messagesReceived > 0) return;
      const message = `the peer sent no whole message within ${timeout} ms of being let in`;
      this.#watched.fail(new ConnectionTimeoutError('first-message', timeout, message));
    });
  }

  /** Bytes of any kind are a sign of life; while we don't read, silence proves nothing. */
  #watchHeart(interval: number, timeout: number): void {
    let received = -1;
    let asking = false;
    this.#every(interval, () => {
      if (this.#watched.bytesReceived !== received || this.#watched.readingHeld) {
        received = this.#watched.bytesReceived;
        return;
      }
      if (asking) return;
      asking = true;
      this.#watched.ping({ timeout }).then(
        () => (asking = false),
        () => {
          asking = false;
          if (this.#watched.bytesReceived !== received || this.#watched.readingHeld) return;
          const message = `the peer gave no sign of life for ${interval + timeout} ms`;
          this.#watched.fail(new ConnectionTimeoutError('heartbeat', timeout, message));
        },
      );
    });
  }

  #after(wait: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.#timers = this.#timers.filter((other) => other !== timer);
      act();
    }, wait);
    this.#timers.push(timer.unref());
  }

  #every(wait: number, act: () => void): void {
    this.#timers.push(setInterval(act, wait).unref());
  }
}
