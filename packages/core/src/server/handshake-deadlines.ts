/**
 * One timer for the deadlines of all pending connections: they expire in the order of the accepts. A peer whose next bytes this
 * process reads too late, since it has much else to read, gets more time, at most as much again.
 */
import type { PendingConnection } from './pending-connection.js';

export class HandshakeDeadlines {
  readonly #pending: Iterable<PendingConnection>;
  readonly #timeout: number;
  readonly #expired: (pending: PendingConnection) => void;
  #timer: NodeJS.Timeout | null = null;

  /**
   * @param pending all pending connections, in the order in which they were accepted
   * @param timeout what each may take, in milliseconds
   * @param expired called once with each whose time is over
   */
  constructor(
    pending: Iterable<PendingConnection>,
    timeout: number,
    expired: (pending: PendingConnection) => void,
  ) {
    this.#pending = pending;
    this.#timeout = timeout;
    this.#expired = expired;
  }

  /** Another connection is pending. */
  watch(): void {
    if (this.#timer === null) this.#wait(this.#timeout);
  }

  #wait(milliseconds: number): void {
    // The pending sockets keep the process running; the timer may outlast the last of them.
    this.#timer = setTimeout(() => {
      this.#look();
    }, Math.ceil(milliseconds)).unref();
  }

  /** What arrived while the event loop was busy is read before an immediate: a peer isn't late because this process was busy. */
  #look(): void {
    const now = performance.now();
    const heard = new Map<PendingConnection, number>();
    for (const pending of this.#pending) {
      if (pending.isGivenUp) continue;
      if (this.#leftFor(pending, now) > 0) break;
      heard.set(pending, pending.socket.bytesRead);
    }
    setImmediate(() => {
      this.#timer = null;
      this.#conclude(heard);
    });
  }

  #conclude(heard: ReadonlyMap<PendingConnection, number>): void {
    const now = performance.now();
    for (const pending of this.#pending) {
      if (pending.isGivenUp) continue;
      if (this.#isLate(pending, heard.get(pending), now)) this.#expired(pending);
      else if (this.#timer === null) this.#wait(Math.max(1, this.#leftFor(pending, now)));
    }
  }

  /** @param heard how many bytes it had sent when its time was over; undefined where it wasn't */
  #isLate(pending: PendingConnection, heard: number | undefined, now: number): boolean {
    if (heard === undefined) return false;
    return pending.socket.bytesRead === heard || this.#leftFor(pending, now) <= -this.#timeout;
  }

  #leftFor({ since }: PendingConnection, now: number): number {
    return since + this.#timeout - now;
  }
}

/** Read at each use, so that it is always current. */
export function valuesOf<V>(map: ReadonlyMap<unknown, V>): Iterable<V> {
  return { [Symbol.iterator]: () => map.values() };
}
