import { describe, expect, it } from 'vitest';
import { makeCertificate } from '../testing/made-certificates.js';
import { parseCertificate } from '../x509/index.js';
import { KnownPath, PathCache, type Path, type Wanted } from './path-cache.js';

/** The cache doesn't read an entry before it is requested. */
const path = (): Path => [];

describe('PathCache', () => {
  it('keeps no more paths than its limit: the least recently used is removed', () => {
    const cache = new PathCache(2);
    cache.keep('a', 'v', path());
    cache.keep('b', 'v', path());
    expect(cache.find('a', 'v')).toBeDefined();
    cache.keep('c', 'v', path());
    expect(cache.size).toBe(2);
    expect(['a', 'b', 'c'].map((leaf) => cache.find(leaf, 'v') !== undefined)).toEqual([true, false, true]);
  });

  it('is bounded by default', () => {
    const cache = new PathCache();
    for (let leaf = 0; leaf < 5_000; leaf++) cache.keep(String(leaf), 'v', path());
    expect(cache.size).toBe(4_096);
    expect(cache.find('903', 'v')).toBeUndefined();
    expect(cache.find('904', 'v')).toBeDefined();
  });

  it('finds a path under the anchors it was verified with, and no others', () => {
    const cache = new PathCache();
    const kept = path();
    cache.keep('a', 'v1', kept);
    expect(cache.find('a', 'v2')).toBeUndefined();
    expect(cache.find('b', 'v1')).toBeUndefined();
    expect(cache.size).toBe(1);
    expect(cache.find('a', 'v1')?.path).toBe(kept);
  });

  it("replaces a leaf's path with a newer one, and keeps what is known of an equal one", () => {
    const cache = new PathCache();
    const [first, second] = [path(), path()];
    cache.keep('a', 'v', first);
    const known = cache.find('a', 'v');
    cache.keep('a', 'v', first);
    expect(cache.find('a', 'v')).toBe(known);
    cache.keep('a', 'v', second);
    expect(cache.find('a', 'v')?.path).toBe(second);
    expect(cache.size).toBe(1);
  });
});

describe('a known path', () => {
  const HOUR = 3_600_000;
  const now = Date.now();
  const ca = makeCertificate({ commonName: 'CA', isAuthority: true });
  const leaf = makeCertificate({
    commonName: 'a',
    issuer: ca,
    names: ['a.test', '*.many.test'],
    usage: 'server',
    from: new Date(now - HOUR),
    to: new Date(now + HOUR),
  });
  const made = (): KnownPath => new KnownPath([leaf.certificate, ca.certificate]);
  const wanted = (changes: Partial<Wanted> = {}): Wanted => ({
    at: new Date(now),
    name: 'a.test',
    usage: 'server',
    ...changes,
  });

  it('is valid for its names and its use, after any earlier query', () => {
    const known = made();
    for (let time = 0; time < 2; time += 1) {
      expect(known.isGood(wanted())).toBe(true);
      expect(known.isGood(wanted({ name: undefined }))).toBe(true);
      expect(known.isGood(wanted({ name: 'b.test' }))).toBe(false);
      expect(known.isGood(wanted({ usage: 'client' }))).toBe(false);
    }
  });

  it('is checked against the date every time, to the second', () => {
    const known = made();
    const last = leaf.certificate.notAfter.getTime();
    const at = (time: number) => known.isGood(wanted({ at: new Date(time) }));
    expect([now, last, last + 999, last + 1_000, now, now - 2 * HOUR].map(at)).toEqual([
      true,
      true,
      true,
      false,
      true,
      false,
    ]);
  });

  it('stays valid for any number of names', () => {
    const known = made();
    for (let round = 0; round < 2; round += 1)
      for (let n = 0; n < 40; n += 1) expect(known.isGood(wanted({ name: `${n}.many.test` }))).toBe(true);
  });

  it('remembers 16 purposes, and checks any more each time', () => {
    let isRead = false;
    const watched = parseCertificate(leaf.der);
    const names = watched.subjectAltNames;
    Object.defineProperty(watched, 'subjectAltNames', {
      get: () => {
        isRead = true;
        return names;
      },
    });
    const known = new KnownPath([watched, ca.certificate]);
    const isChecked = (n: number): boolean => {
      isRead = false;
      expect(known.isGood(wanted({ name: `${n}.many.test` }))).toBe(true);
      return isRead;
    };
    for (let n = 0; n < 16; n += 1) expect(isChecked(n)).toBe(true);
    for (let n = 0; n < 16; n += 1) expect(isChecked(n)).toBe(false);
    for (let round = 0; round < 2; round += 1) expect([16, 1_000].map(isChecked)).toEqual([true, true]);
    expect(known.isGood(wanted({ name: 'other.test' }))).toBe(false);
  });
});
