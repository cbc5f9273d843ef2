import { describe, expect, it } from 'vitest';
import { PathCache, type Path } from './path-cache.js';

/** What is kept isn't looked at before it is asked about. */
const path = (): Path => [];

describe('PathCache', () => {
  it('keeps no more paths than its limit: the one used longest ago goes', () => {
    const cache = new PathCache(2);
    cache.keep('a', 'v', path());
    cache.keep('b', 'v', path());
    expect(cache.find('a', 'v')).toBeDefined();
    cache.keep('c', 'v', path());
    expect(cache.size).toBe(2);
    expect(['a', 'b', 'c'].map((leaf) => cache.find(leaf, 'v') !== undefined)).toEqual([true, false, true]);
  });

  it('is bounded without being told to', () => {
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
    expect(cache.find('a', 'v1')?.path).toBe(kept);
  });

  it('replaces a leaf’s path by a newer one, and keeps what is known of the same', () => {
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
