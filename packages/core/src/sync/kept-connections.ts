/** Connections that wait in the worker for the next message to the same server. */
import type { SecureConnection } from '../connection/connection-types.js';
import { closeReadingAway, GOODBYE } from '../facade/close-reading-away.js';

/** How long one is kept unused, in milliseconds. */
const IDLE = 30_000;

/** How many are kept; the one unused for longest makes room. */
const MOST = 32;

interface Kept {
  readonly connection: SecureConnection;
  readonly idle: AbortController;
  readonly timer: NodeJS.Timeout;
  /** The peer has ended, or sent something unrequested. */
  spoiled: boolean;
}

export class KeptConnections {
  readonly #kept = new Map<string, Kept>();

  /** The connection kept under that key, if it is as it was left; from now on it is the caller's. */
  take(key: string): SecureConnection | null {
    const kept = this.#remove(key);
    if (kept === undefined) return null;
    if (!kept.spoiled && kept.connection.state === 'open') return kept.connection;
    kept.connection.destroy();
    return null;
  }

  /** Keeps a connection whose last exchange left nothing behind. */
  keep(key: string, connection: SecureConnection): void {
    const idle = new AbortController();
    const timer = setTimeout(() => this.#end(key), IDLE);
    const kept: Kept = { connection, idle, timer, spoiled: false };
    // Whatever comes now belongs to no message; it would be taken for the beginning of the next reply.
    connection.receive({ signal: idle.signal }).then(
      () => (kept.spoiled = true),
      () => (kept.spoiled = !idle.signal.aborted),
    );
    this.#end(key);
    this.#kept.set(key, kept);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MOST && oldest !== undefined) this.#end(oldest);
  }

  #end(key: string): void {
    const kept = this.#remove(key);
    if (kept !== undefined) closeReadingAway(kept.connection, GOODBYE);
  }

  #remove(key: string): Kept | undefined {
    const kept = this.#kept.get(key);
    if (kept === undefined) return undefined;
    this.#kept.delete(key);
    clearTimeout(kept.timer);
    kept.idle.abort();
    return kept;
  }
}
