/**
 * Paths whose signatures were checked once. That one certificate signed another doesn't change, nor that it is valid
 * for a name and a use, so a known peer costs neither check; dates, revocation and rules are checked every time.
 * Bounded: the least recently used path is removed.
 */
import { checkValidity } from '../x509/checks/validity.js';
import { validatePath, type X509Certificate } from '../x509/index.js';

export type Path = readonly X509Certificate[];

/** What a path is needed for. */
export interface Wanted {
  readonly at: Date;
  readonly name: string | undefined;
  readonly usage: 'server' | 'client';
}

/** A peer is usually verified for one or two names; one that invents names must not fill the memory. */
const MOST_PURPOSES = 16;

/** A path whose signatures are valid, and the other results known about it. */
export class KnownPath {
  readonly path: Path;
  readonly #goodFor = new Set<string>();

  constructor(path: Path) {
    this.path = path;
  }

  isGood(wanted: Wanted): boolean {
    const purpose = `${wanted.usage} ${wanted.name ?? ''}`;
    if (this.#goodFor.has(purpose)) return isInForce(this.path, wanted.at);
    if (!validatePath(this.path, { ...wanted, rules: 'private' }).ok) return false;
    if (this.#goodFor.size < MOST_PURPOSES) this.#goodFor.add(purpose);
    return true;
  }
}

function isInForce(path: Path, at: Date): boolean {
  return checkValidity({ path, at: wholeSeconds(at) }) === undefined;
}

/** Times in certificates have a resolution of one second. */
function wholeSeconds(at: Date): number {
  return Math.floor(at.getTime() / 1_000) * 1_000;
}

export class PathCache {
  readonly #limit: number;
  readonly #paths = new Map<string, KnownPath>();

  constructor(limit = 4_096) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#paths.size;
  }

  /** @param leaf the SHA-256 of the peer's certificate */
  find(leaf: string, anchorsVersion: string): KnownPath | undefined {
    const key = `${leaf}/${anchorsVersion}`;
    const known = this.#paths.get(key);
    if (known === undefined) return undefined;
    this.#paths.delete(key);
    this.#paths.set(key, known);
    return known;
  }

  keep(leaf: string, anchorsVersion: string, path: Path): void {
    const key = `${leaf}/${anchorsVersion}`;
    if (this.#paths.get(key)?.path === path) return;
    this.#paths.delete(key);
    this.#paths.set(key, new KnownPath(path));
    if (this.#paths.size <= this.#limit) return;
    const [oldest] = this.#paths.keys();
    this.#paths.delete(oldest as string);
  }
}
