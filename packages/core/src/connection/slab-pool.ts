/**
 * Memory for batches of outgoing bytes. A slab is lent to one connection from its first byte in a turn until the
 * system has taken the batch, then used again, so that a busy connection allocates nothing and an idle one holds nothing.
 */

/** Messages up to this size are copied into a slab; larger ones are sent without a copy. */
export const LARGEST_COPY = 131_072;

/** A broadcast to thousands of connections must not cost a large slab each: start small, grow on demand. */
const SIZES = [2_048, 16_384, LARGEST_COPY + 1_024] as const;
const KEPT = [256, 64, 16] as const;

/** Memory on loan; `giveBack` is created once per slab, not for every loan. */
export interface Slab {
  readonly memory: Buffer;
  readonly giveBack: () => void;
}

const free: [Slab[], Slab[], Slab[]] = [[], [], []];

export type SlabLevel = 0 | 1 | 2;
/** No batch is longer than this. */
export const LARGEST_SLAB = SIZES[2];

/** The smallest level whose slabs hold `length` bytes. */
export function levelFor(length: number): SlabLevel {
  if (length <= SIZES[0]) return 0;
  return length <= SIZES[1] ? 1 : 2;
}

export function borrowSlab(level: SlabLevel): Slab {
  return free[level].pop() ?? makeSlab(level);
}

function makeSlab(level: SlabLevel): Slab {
  const slab: Slab = {
    memory: Buffer.allocUnsafeSlow(SIZES[level]),
    giveBack: () => {
      if (free[level].length < KEPT[level]) free[level].push(slab);
    },
  };
  return slab;
}
