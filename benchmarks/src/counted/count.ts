/**
 * Instructions an operation, by valgrind's callgrind: the same whatever else the machine does. Where there is no
 * valgrind, CPU time as a multiple of what hashing 1 KiB costs in the same minute.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { operations } from './operations.js';

const execute = promisify(execFile);
const program = fileURLToPath(new URL('./counted/program.js', import.meta.url));

/**
 * How often at first, which doesn't count, and then: so often that a collection more or less makes no difference. Each count
 * is the difference of two runs, which takes away the start.
 */
const TIMES: readonly (readonly [RegExp, { readonly warm: number; readonly counted: number }])[] = [
  [/encode/, { warm: 50_000, counted: 300_000 }],
  [/verifyPath|createCredentials/, { warm: 100, counted: 100 }],
  [/connect options/, { warm: 3_000, counted: 1_000 }],
  [/./, { warm: 50_000, counted: 20_000 }],
];
/** Of one compiler thread and fixed seeds: else every run would be optimized at other moments. */
const STEADY = ['--single-threaded', '--hash-seed=1', '--random-seed=1'];
const LONGEST_MS = 300_000;

export interface Counted {
  readonly unit: 'instructions' | 'thousandths of a hash';
  readonly node: string;
  readonly arch: string;
  /** By operation. */
  readonly counts: Readonly<Record<string, number>>;
}

/** @param match text that an operation's name contains */
export async function count(match: string, tell: (news: string) => void): Promise<Counted> {
  const unit = (await hasValgrind()) ? 'instructions' : 'thousandths of a hash';
  const cost = unit === 'instructions' ? instructionsOf : hashesOf;
  const counts: Record<string, number> = {};
  for (const name of Object.keys(operations).filter((one) => one.includes(match))) {
    tell(name);
    const { warm, counted } = TIMES.find(([pattern]) => pattern.test(name))?.[1] ?? { warm: 0, counted: 1 };
    const few = await cost([name, String(warm), String(counted)]);
    const many = await cost([name, String(warm), String(3 * counted)]);
    counts[name] = Math.round((many - few) / (2 * counted));
  }
  return { unit, node: process.versions.node, arch: process.arch, counts };
}

async function hasValgrind(): Promise<boolean> {
  return execute('valgrind', ['--version']).then(
    () => true,
    () => false,
  );
}

async function instructionsOf(operation: readonly string[]): Promise<number> {
  const callgrind = ['--tool=callgrind', '--callgrind-out-file=/dev/null', '--smc-check=all-non-file'];
  const args = [...callgrind, process.execPath, ...STEADY, program, ...operation];
  const { stderr } = await execute('valgrind', args, { timeout: LONGEST_MS });
  const collected = /Collected : (\d+)/.exec(stderr)?.[1];
  if (collected === undefined) throw new Error(`callgrind counted nothing: ${stderr.slice(-500)}`);
  return Number(collected);
}

async function hashesOf(operation: readonly string[]): Promise<number> {
  const { stdout } = await execute(process.execPath, [...STEADY, program, ...operation], {
    timeout: LONGEST_MS,
  });
  return ((JSON.parse(stdout) as { cpuUs: number }).cpuUs / hashUs()) * 1_000;
}

function hashUs(): number {
  const bytes = Buffer.alloc(1_024);
  const rounds = 20_000;
  const before = process.cpuUsage();
  for (let n = 0; n < rounds; n += 1) createHash('sha256').update(bytes).digest();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / rounds;
}

/** Counts of two runs are the same within this, as a part. */
const TOLERANCE = 0.05;

/** The table of what changed, and whether anything became dearer. @throws Error where the two can't be compared */
export function compare(recorded: Counted, now: Counted): { text: string; dearer: readonly string[] } {
  for (const key of ['unit', 'arch'] as const)
    if (recorded[key] !== now[key])
      throw new Error(`recorded with ${key} ${recorded[key]}, and counted with ${now[key]}: record anew`);
  const major = (version: string): string => version.split('.')[0] as string;
  if (major(recorded.node) !== major(now.node))
    throw new Error(`recorded on Node ${recorded.node}, and counted on ${now.node}: record anew`);
  const dearer: string[] = [];
  const lines = Object.entries(now.counts).map(([name, value]) => {
    const before = recorded.counts[name];
    if (before === undefined) return `${name}: ${value} ${now.unit}, not recorded`;
    const change = value / before - 1;
    if (change > TOLERANCE) dearer.push(name);
    const percent = `${change < 0 ? '' : '+'}${(100 * change).toFixed(1)} %`;
    return `${name}: ${before} → ${value} ${now.unit} (${percent})`;
  });
  return { text: lines.join('\n'), dearer };
}
