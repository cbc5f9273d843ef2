/**
 * Paths whose signatures were checked once. That one certificate signed another doesn't change, so a known peer costs
 * no signature check; dates, names, revocation and rules are judged every time. Bounded: the path used longest ago goes.
 */
import type { X509Certificate } from '../x509/index.js';

export type Path = readonly X509Certificate[];

export class PathCache {
  readonly #limit: number;
  readonly #paths = new Map<string, Path>();

  constructor(limit = 4_096) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#paths.size;
  }

  /** @param leaf the SHA-256 of the peer's certificate */
  find(leaf: string, anchorsVersion: string): Path | undefined {
    const key = `${leaf}/${anchorsVersion}`;
    const path = this.#paths.get(key);
    if (path === undefined) return undefined;
    this.#paths.delete(key);
    this.#paths.set(key, path);
    return path;
  }

  keep(leaf: string, anchorsVersion: string, path: Path): void {
    const key = `${leaf}/${anchorsVersion}`;
    this.#paths.delete(key);
    this.#paths.set(key, path);
    if (this.#paths.size <= this.#limit) return;
    const [oldest] = this.#paths.keys();
    this.#paths.delete(oldest as string);
  }
}
