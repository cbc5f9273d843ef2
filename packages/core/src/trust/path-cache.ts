/**
 * Paths whose signatures were checked once. That one certificate signed another doesn't change, nor that it is good
 * for a name and a use, so a known peer costs neither check; dates, revocation and rules are checked every time.
 * Bounded: the path used longest ago goes.
 */
import { checkValidity } from '../x509/checks/validity.js';
import { validatePath, type X509Certificate } from '../x509/index.js';

export type Path = readonly X509Certificate[];

/** What a path is wanted for. */
export interface Wanted {
  readonly at: Date;
  readonly name: string | undefined;
  readonly usage: 'server' | 'client';
}

/** A peer is asked for by a name or two; one who makes them up as it goes must not fill the memory. */
const MOST_PURPOSES = 16;

/** A path whose signatures are good, and what else was found out about it. */
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

/** Certificates know no less than a second. */
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
