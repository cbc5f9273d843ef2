/**
 * TLS sessions to resume, each with the path that was verified when it began: on resumption Node exposes no certificate, so
 * that path is verified again. Keyed by everything that decided trust; bounded: the target that has sent none for
 * longest is removed.
 */
import type { Path } from '../trust/path-cache.js';

export interface KeptSession {
  readonly session: Buffer;
  readonly path: Path;
}

/** For all targets together; a session is about 2 KiB. */
const LIMIT = 4_096;
/** As many as a large pool opens at once. */
const PER_KEY = 64;

export class SessionCache {
  readonly #kept = new Map<string, KeptSession[]>();
  #size = 0;

  /**
   * The newest session. TLS 1.3 tickets are meant for one use each (RFC 8446 C.4), so it is returned once; only the
   * last one stays, because otherwise all but the first of many connections opened at once would get none.
   */
  take(key: string): KeptSession | null {
    const sessions = this.#kept.get(key);
    if (sessions === undefined) return null;
    if (sessions.length === 1) return sessions[0] as KeptSession;
    this.#size -= 1;
    return sessions.pop() as KeptSession;
  }

  keep(key: string, kept: KeptSession): void {
    const sessions = this.#kept.get(key) ?? [];
    this.#kept.delete(key);
    this.#kept.set(key, sessions);
    sessions.push(kept);
    this.#size += 1;
    if (sessions.length > PER_KEY) {
      sessions.shift();
      this.#size -= 1;
    }
    for (const oldest of this.#kept.keys()) {
      if (this.#size <= LIMIT) return;
      this.forget(oldest);
    }
  }

  /** Removes a refused session, so that it isn't tried again. */
  forget(key: string): void {
    this.#size -= this.#kept.get(key)?.length ?? 0;
    this.#kept.delete(key);
  }

  get size(): number {
    return this.#size;
  }
}
