/** One line of the report: what a contestant needed for one piece of work, over all rounds. */
import { spread, type Spread } from './statistics.js';

/** What we promised, and whether this run kept it. */
export interface Target {
  readonly text: string;
  readonly met: boolean;
}

export interface Row {
  readonly work: string;
  readonly contestant: string;
  /** What `value` counts, such as `'µs CPU a message'`. */
  readonly unit: string;
  readonly value: Spread;
  /** Operations a second by the wall clock; null where that is no figure of this work. */
  readonly perSecond: Spread | null;
  /** The share of its time that the measured process waited for a core, 0 to 1. */
  readonly waiting: number | null;
  /** How much better than the first contestant in the same round: above 1 is cheaper. */
  readonly ratio: Spread | null;
  readonly target: Target | null;
}

/** One round of one contestant. */
export interface Sample {
  readonly operations: number;
  readonly wallMs: number;
  /** Nanoseconds of the measured process. */
  readonly cpu: number;
  readonly waiting: number;
}

export interface RowHead {
  readonly work: string;
  readonly contestant: string;
  readonly unit: string;
  /** The least ratio to reach. */
  readonly least?: number | undefined;
  /** What is compared; default the CPU time. */
  readonly clock?: 'CPU' | 'wall' | undefined;
}

/** @param base the same rounds of the first contestant */
export function rowOf(head: RowHead, samples: readonly Sample[], base: readonly Sample[] | null): Row {
  const { work, contestant, unit, least, clock } = head;
  const costOf = costs[clock ?? 'CPU'];
  const ratio =
    base === null
      ? null
      : spread(samples.map((sample, round) => costOf(base[round] ?? sample) / costOf(sample)));
  const cpu = sum(samples, 'cpu');
  const waiting = sum(samples, 'waiting');
  return {
    work,
    contestant,
    unit,
    value: spread(samples.map((sample) => costOf(sample))),
    perSecond: spread(samples.map(({ operations, wallMs }) => (operations / wallMs) * 1_000)),
    waiting: waiting / (cpu + waiting),
    ratio,
    target: ratio === null || least === undefined ? null : atLeast(least, ratio.median),
  };
}

/** @param most what it should stay under; null where nothing was promised */
export function memoryRow(head: RowHead, kib: number, most: number | null): Row {
  const { work, contestant, unit } = head;
  const target = most === null ? null : { text: `≤ ${most.toFixed(1)}`, met: kib <= most };
  return {
    work,
    contestant,
    unit,
    value: spread([kib]),
    perSecond: null,
    waiting: null,
    ratio: null,
    target,
  };
}

/** Microseconds for one operation. */
const costs = {
  CPU: ({ cpu, operations }: Sample): number => cpu / operations / 1_000,
  wall: ({ wallMs, operations }: Sample): number => (wallMs * 1_000) / operations,
} as const;

function atLeast(least: number, median: number): Target {
  return { text: `≥ ${least.toFixed(2)}`, met: Math.round(median * 100) / 100 >= least };
}

function sum(samples: readonly Sample[], field: 'cpu' | 'waiting'): number {
  return samples.reduce((total, sample) => total + sample[field], 0);
}
