/**
 * The deadlines of an open connection: first message, idle, heartbeat, slow reader, lifetime. Nothing is done per
 * message: each watch checks counters periodically, and a connection without such limits has no timer at all.
 */
import { ConnectionTimeoutError } from '../errors/index.js';
import type { Limits } from '../policy/limits.js';

/** What the timeouts read, and where they report. */
export interface TimeoutEvents {
  /** Grows with every message, and with every byte where there is no heartbeat, which would count too. */
  readonly activityCount: number;
  /** Whether a request of either side, or a listener on a message, is in flight; those that were given up aren't. */
  readonly isAtWork: boolean;
  readonly bytesReceived: number;
  /** Complete messages and requests; of a raw stream, bytes. */
  readonly messagesReceived: number;
  /** Bytes that the system took from us. */
  readonly bytesTaken: number;
  /** Whether we ourselves have stopped reading. */
  readonly isReadingHeld: boolean;
  /** Bytes received that wait for the program, and bytes of ours that wait for the peer. */
  readonly heldBytes: number;
  readonly unsent: number;
  ping(options: { timeout: number }): Promise<number>;
  /** Closes the connection gracefully, as its lifetime is over. */
  retire(): void;
  fail(error: Error): void;
}

/** Whether there is anything to watch from the beginning; most connections only ever need it for a slow reader. */
export function needsTimeouts(limits: Limits, maxLifetime: number | null): boolean {
  const { idleTimeout, firstMessageTimeout, heartbeat } = limits;
  return [idleTimeout, firstMessageTimeout, heartbeat, maxLifetime].some((limit) => limit !== null);
}

/** On a port with several framings, those that have no frame for it get no heartbeat. */
export function withoutHeartbeat(limits: Limits): Limits {
  return limits.heartbeat === null ? limits : { ...limits, heartbeat: null };
}

/** An expired limit is noticed within a quarter of its time. */
const LOOKS = 4;

export class ConnectionTimeouts {
  readonly #events: TimeoutEvents;
  readonly #limits: Limits;
  #timers: NodeJS.Timeout[] = [];
  #sendTimer: NodeJS.Timeout | undefined;

  constructor(events: TimeoutEvents, limits: Limits, maxLifetime: number | null) {
    this.#events = events;
    this.#limits = limits;
    if (limits.idleTimeout !== null) this.#watchIdle(limits.idleTimeout);
    if (limits.firstMessageTimeout !== null) this.#watchFirstMessage(limits.firstMessageTimeout);
    if (limits.heartbeat !== null) this.#watchHeart(limits.heartbeat.interval, limits.heartbeat.timeout);
    if (maxLifetime !== null) this.#after(maxLifetime, () => events.retire());
  }

  /** Bytes wait for the peer: from now on it must take something within `sendTimeout`. */
  congested(): void {
    if (this.#sendTimer !== undefined) return;
    const { sendTimeout } = this.#limits;
    let taken = this.#events.bytesTaken;
    let since = performance.now();
    this.#sendTimer = setInterval(
      () => {
        const now = performance.now();
        if (this.#events.unsent === 0) {
          this.relieved();
        } else if (this.#events.bytesTaken !== taken) {
          taken = this.#events.bytesTaken;
          since = now;
        } else if (now - since >= sendTimeout) {
          this.#events.fail(this.#sendError(sendTimeout));
        }
      },
      Math.ceil(sendTimeout / LOOKS),
    );
    this.#sendTimer.unref();
  }

  /** The peer caught up. */
  relieved(): void {
    clearInterval(this.#sendTimer);
    this.#sendTimer = undefined;
  }

  stop(): void {
    this.relieved();
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers = [];
  }

  /**
   * Silence alone isn't idleness: an answer may take longer than `idleTimeout`. What is in flight has deadlines of its own
   * (`requestTimeout`, `sendTimeout`); a part of a message has none, and doesn't count.
   */
  #watchIdle(timeout: number): void {
    let activity = this.#events.activityCount;
    let since = performance.now();
    this.#every(Math.ceil(timeout / LOOKS), () => {
      const now = performance.now();
      const { activityCount, isAtWork, unsent } = this.#events;
      if (unsent > 0) this.congested();
      if (activityCount !== activity || isAtWork || unsent > 0) {
        activity = activityCount;
        since = now;
      } else if (now - since >= timeout) {
        const words = `nothing was sent either way for ${timeout} ms, and nothing was in flight`;
        this.#events.fail(new ConnectionTimeoutError('idle', timeout, words));
      }
    });
  }

  #sendError(sendTimeout: number): ConnectionTimeoutError {
    const { isReadingHeld, heldBytes, unsent } = this.#events;
    const words = `the peer read nothing for ${sendTimeout} ms; ${unsent} bytes were not sent`;
    if (!isReadingHeld) return new ConnectionTimeoutError('send', sendTimeout, words);
    const both = `both sides write without reading: ${words}, and ${heldBytes} bytes of the peer wait here to be taken`;
    const hint = "Read on while you write: take the peer's messages by onMessage() or receive().";
    return new ConnectionTimeoutError('send', sendTimeout, both, { hint });
  }

  #watchFirstMessage(timeout: number): void {
    this.#after(timeout, () => {
      if (this.#events.messagesReceived > 0) return;
      const message = `the peer sent no whole message within ${timeout} ms of being admitted`;
      this.#events.fail(new ConnectionTimeoutError('first-message', timeout, message));
    });
  }

  /**
   * Any bytes are a sign of life. While we don't read, or bytes of ours still wait for the peer, silence proves
   * nothing: the PING itself may not have reached it. Then `sendTimeout` decides.
   */
  #watchHeart(interval: number, timeout: number): void {
    let received = -1;
    let asking = false;
    this.#every(interval, () => {
      if (this.#provesNothing(received)) {
        received = this.#events.bytesReceived;
        return;
      }
      if (asking) return;
      asking = true;
      this.#events.ping({ timeout }).then(
        () => (asking = false),
        () => {
          asking = false;
          if (this.#provesNothing(received)) return;
          const message = `the peer gave no sign of life for ${interval + timeout} ms`;
          this.#events.fail(new ConnectionTimeoutError('heartbeat', timeout, message));
        },
      );
    });
  }

  #provesNothing(received: number): boolean {
    const { bytesReceived, isReadingHeld, unsent } = this.#events;
    if (unsent > 0) this.congested();
    return bytesReceived !== received || isReadingHeld || unsent > 0;
  }

  #after(wait: number, act: () => void): void {
    this.#timers.push(setTimeout(act, wait).unref());
  }

  #every(wait: number, act: () => void): void {
    this.#timers.push(setInterval(act, wait).unref());
  }
}
