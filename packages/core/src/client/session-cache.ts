/**
 * TLS sessions to resume, each with the path that was judged when it began: on resumption Node shows no certificate, so
 * that path is what is judged again. Keyed by everything that decided trust; bounded, the one used longest ago goes.
 */
import type { Path } from '../trust/path-cache.js';

export interface KeptSession {
  readonly session: Buffer;
  readonly path: Path;
}

const LIMIT = 1_024;
/** TLS 1.3 tickets are meant for one use each (RFC 8446 C.4), and servers send two. */
const PER_KEY = 4;

export class SessionCache {
  readonly #kept = new Map<string, KeptSession[]>();

  /** The newest session, given out once. */
  take(key: string): KeptSession | null {
    const sessions = this.#kept.get(key);
    const session = sessions?.pop();
    if (session === undefined) return null;
    if (sessions?.length === 0) this.#kept.delete(key);
    return session;
  }

  keep(key: string, kept: KeptSession): void {
    const sessions = this.#kept.get(key) ?? [];
    this.#kept.delete(key);
    this.#kept.set(key, [...sessions, kept].slice(-PER_KEY));
    if (this.#kept.size <= LIMIT) return;
    const [oldest] = this.#kept.keys();
    this.#kept.delete(oldest as string);
  }

  /** A session that was refused won't be tried again. */
  forget(key: string): void {
    this.#kept.delete(key);
  }

  get size(): number {
    return this.#kept.size;
  }
}
