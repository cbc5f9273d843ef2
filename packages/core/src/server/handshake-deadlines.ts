/** One timer for the deadlines of all pending connections: they expire in the order of the accepts. */
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
      this.#timer = null;
      this.#look();
    }, Math.ceil(milliseconds)).unref();
  }

  #look(): void {
    const now = performance.now();
    for (const pending of this.#pending) {
      if (pending.isGivenUp) continue;
      const left = pending.since + this.#timeout - now;
      if (left > 0) {
        this.#wait(left);
        return;
      }
      this.#expired(pending);
    }
  }
}

/** Read at each use, so that it is always current. */
export function valuesOf<V>(map: ReadonlyMap<unknown, V>): Iterable<V> {
  return { [Symbol.iterator]: () => map.values() };
}
