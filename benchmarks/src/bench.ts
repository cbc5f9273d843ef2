/** What every piece of work is given, and the rounds in which it is measured. */
import type { Certificates } from './certificates.js';
import type { Child } from './child.js';
import { rowOf, type Row, type RowHead, type Sample } from './row.js';
import { usageOf } from './usage.js';

export interface Bench {
  readonly files: Certificates;
  readonly load: Child;
  readonly rounds: number;
  /** How long one contestant works in one round, in milliseconds. */
  readonly ms: number;
  /** Shows that everything works, and measures next to nothing. */
  readonly quick: boolean;
  /** Only what contains this in its title is measured; empty for all. */
  readonly match: string;
  /** Only contestants whose names contain one of these run beside the first; empty for all. */
  readonly beside: readonly string[];
  /** Says what goes on. */
  readonly tell: (news: string) => void;
}

/** A part of the benchmarks that can be run by itself. */
export interface Work {
  readonly name: string;
  run(bench: Bench): Promise<Row[]>;
}

export interface Contestant {
  readonly name: string;
  /** The measured process. */
  readonly pid: number;
  /** Works for one round. */
  readonly run: (ms: number) => Promise<{ operations: number; wallMs: number }>;
  readonly least?: number | undefined;
}

/** Until here code is compiled and caches are filled, and nothing counts; milliseconds. */
const WARM_UP = { full: 1_000, quick: 20 } as const;
/** The longest that a contestant takes for a fixed number of operations, in times of the above. */
const WARM_UP_TIMES = 20;

/** What is measured, and what comes before. */
export interface Competition extends Omit<RowHead, 'contestant'> {
  /**
   * How many operations each contestant does first, at least: the same number for all, so that none has its code compiled in
   * the measured time because it has more of it. Absent: as many as fit into a second.
   */
  readonly warmUp?: number;
}

/**
 * The contestants' rounds are interleaved, each round beginning with another one, so that a slow minute meets all of
 * them. The first contestant is what the others are compared with.
 */
export async function compete(bench: Bench, head: Competition, all: readonly Contestant[]): Promise<Row[]> {
  if (!isAsked(bench, head.work)) return [];
  const contestants = all.filter(({ name }, index) => index === 0 || isWanted(bench, name));
  bench.tell(head.work);
  for (const contestant of contestants) await warmUp(bench, contestant, head.warmUp ?? 1);
  const samples = contestants.map((): Sample[] => []);
  for (let round = 0; round < bench.rounds; round += 1) {
    for (let turn = 0; turn < contestants.length; turn += 1) {
      const index = (round + turn) % contestants.length;
      const contestant = contestants[index]!;
      samples[index]!.push(await measure(contestant, bench.ms));
    }
  }
  return contestants.map(({ name, least }, index) =>
    rowOf({ ...head, contestant: name, least }, samples[index]!, index === 0 ? null : samples[0]!),
  );
}

async function warmUp({ quick }: Bench, { run }: Contestant, least: number): Promise<void> {
  const ms = quick ? WARM_UP.quick : WARM_UP.full;
  let operations = 0;
  for (let times = 0; times < (quick ? 1 : WARM_UP_TIMES) && operations < least; times += 1)
    operations += (await run(ms)).operations;
}

/** Whether what has this title is to be measured. */
export function isAsked({ match }: Bench, title: string): boolean {
  return title.includes(match);
}

function isWanted({ beside }: Bench, name: string): boolean {
  return beside.length === 0 || beside.some((part) => name.includes(part));
}

async function measure({ pid, run }: Contestant, ms: number): Promise<Sample> {
  const before = usageOf(pid);
  const done = await run(ms);
  const after = usageOf(pid);
  return { ...done, cpu: after.cpu - before.cpu, waiting: after.waiting - before.waiting };
}
