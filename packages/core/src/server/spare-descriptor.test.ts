import { fstatSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SpareDescriptor } from './spare-descriptor.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A limited number of descriptors, each open at most once. */
function descriptors(left: number) {
  const open = new Set<number>();
  let last = 0;
  const source = {
    left,
    open: () => {
      if (open.size >= source.left) return null;
      open.add((last += 1));
      return last;
    },
    close: (descriptor: number) => {
      expect(open.delete(descriptor)).toBe(true);
    },
  };
  const spare = new SpareDescriptor(source);
  return { source, spare, held: () => open.size };
}

describe('a descriptor held back', () => {
  it('is a single one, after any number of checks, while others are free', () => {
    const { spare, held } = descriptors(10);
    spare.start();
    expect(held()).toBe(1);
    for (let n = 0; n < 3; n += 1) expect(spare.isEnough()).toBe(true);
    expect([held(), spare.shortages]).toEqual([1, 0]);
  });

  it('is released while no other is free, which counts once', () => {
    const { source, spare, held } = descriptors(10);
    spare.start();
    source.left = 1;
    expect([spare.isEnough(), held()]).toEqual([false, 0]);
    // The released one is taken by others meanwhile.
    source.left = 0;
    expect([spare.isEnough(), held(), spare.shortages]).toEqual([false, 0, 1]);
    // The last one isn't held back: a connection needs it to be accepted and closed.
    source.left = 1;
    expect([spare.isEnough(), held(), spare.shortages]).toEqual([false, 0, 1]);
  });

  it('is held again once others are free, and the next shortage counts again', () => {
    const { source, spare, held } = descriptors(1);
    spare.start();
    expect(spare.isEnough()).toBe(false);
    source.left = 2;
    expect([spare.isEnough(), held()]).toEqual([true, 1]);
    source.left = 1;
    expect([spare.isEnough(), spare.shortages]).toEqual([false, 2]);
  });

  it('is checked every second, from the start until it is stopped', () => {
    const { source, spare, held } = descriptors(2);
    spare.start();
    source.left = 1;
    vi.advanceTimersByTime(999);
    expect(spare.shortages).toBe(0);
    vi.advanceTimersByTime(1);
    expect(spare.shortages).toBe(1);
    source.left = 2;
    vi.advanceTimersByTime(1_000);
    expect(held()).toBe(1);
    spare.stop();
    expect([held(), vi.getTimerCount()]).toEqual([0, 0]);
    spare.stop();
    expect(held()).toBe(0);
  });

  it("is one of the process's own by default", () => {
    const spare = new SpareDescriptor();
    spare.start();
    expect([spare.isEnough(), spare.shortages]).toEqual([true, 0]);
    spare.stop();
    expect(() => fstatSync(0)).not.toThrow();
  });
});
