import { describe, expect, it } from 'vitest';
import { borrowSlab, LARGEST_COPY, LARGEST_SLAB, levelFor } from './slab-pool.js';

describe('the slab pool', () => {
  it('lends the smallest slab that is large enough', () => {
    for (const bytes of [1, 2_048, 2_049, 16_384, 16_385, LARGEST_SLAB]) {
      const slab = borrowSlab(levelFor(bytes));
      expect(slab.memory.length).toBeGreaterThanOrEqual(bytes);
      slab.giveBack();
    }
  });

  it('has room for the largest payload that is copied and a header', () => {
    expect(LARGEST_SLAB).toBeGreaterThanOrEqual(LARGEST_COPY + 1_024);
  });

  it('lends a returned slab again, to one borrower at a time', () => {
    const slab = borrowSlab(0);
    slab.giveBack();
    const first = borrowSlab(0);
    const second = borrowSlab(0);
    expect(first).toBe(slab);
    expect(second).not.toBe(slab);
  });

  it('keeps a bounded number of them', () => {
    const many = Array.from({ length: 100 }, () => borrowSlab(2));
    for (const slab of many) slab.giveBack();
    const again = new Set(Array.from({ length: 100 }, () => borrowSlab(2)));
    expect(many.filter((slab) => again.has(slab))).toHaveLength(16);
  });
});
