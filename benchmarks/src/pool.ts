/**
 * What a pool itself costs: acquire and release of resources that cost nothing, beside the pools most used on Node.
 * CPU time of one process, the contestants' rounds interleaved so that a slow minute meets all of them; the median counts.
 *
 *     node -C @knsock/source --import tsx benchmarks/src/pool.ts [rounds]
 */
import { Pool } from '@knsock/pool';
import genericPool from 'generic-pool';
import { Pool as LightningPool } from 'lightning-pool';
import { Pool as TarnPool } from 'tarn';

const MAX = 10;
const WAITERS = 1_000;
// How many times as fast as generic-pool we promise to be; no other may be faster than us.
const TARGETS = { uncontended: 3, contended: 1.5 };

interface Contestant {
  readonly name: string;
  /** Acquires and releases once. */
  readonly cycle: () => Promise<void>;
  readonly close: () => unknown;
}

const rounds = Number(process.argv[2] ?? 7);
const create = () => ({});

function knsock(): Contestant {
  const pool = new Pool({ max: MAX, create });
  const cycle = async () => (await pool.acquire()).release();
  return { name: '@knsock/pool', cycle, close: () => pool.close() };
}

function generic(): Contestant {
  const factory = { create: () => Promise.resolve({}), destroy: () => Promise.resolve() };
  const pool = genericPool.createPool<object>(factory, { max: MAX });
  const cycle = async () => pool.release(await pool.acquire());
  return { name: 'generic-pool', cycle, close: () => pool.drain().then(() => pool.clear()) };
}

function tarn(): Contestant {
  const pool = new TarnPool<object>({
    create: () => Promise.resolve({}),
    destroy: () => undefined,
    min: 0,
    max: MAX,
  });
  const cycle = async () => void pool.release(await pool.acquire().promise);
  return { name: 'tarn', cycle, close: () => pool.destroy() };
}

function lightning(): Contestant {
  const factory = { create: () => Promise.resolve({}), destroy: () => Promise.resolve() };
  const pool = new LightningPool<object>(factory, { max: MAX });
  const cycle = async () => pool.release(await pool.acquire());
  return { name: 'lightning-pool', cycle, close: () => pool.close(true) };
}

/** One caller, again and again. */
async function uncontended({ cycle }: Contestant, times: number): Promise<void> {
  for (let done = 0; done < times; done += 1) await cycle();
}

/** A thousand callers for ten resources, each again as soon as it was served. */
async function contended({ cycle }: Contestant, times: number): Promise<void> {
  let left = times;
  const caller = async () => {
    while (left-- > 0) await cycle();
  };
  await Promise.all(Array.from({ length: WAITERS }, caller));
}

type Load = typeof uncontended;

async function perSecond(load: Load, contestant: Contestant, times: number): Promise<number> {
  const before = process.cpuUsage();
  await load(contestant, times);
  const { user, system } = process.cpuUsage(before);
  return times / ((user + system) / 1e6);
}

async function compare(title: string, load: Load, times: number, target: number): Promise<boolean> {
  const contestants = [knsock(), generic(), tarn(), lightning()];
  const rates = contestants.map((): number[] => []);
  for (const contestant of contestants) await load(contestant, times / 10);
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, contestant] of contestants.entries()) {
      rates[index]?.push(await perSecond(load, contestant, times));
    }
  }
  await Promise.all(contestants.map((contestant) => contestant.close()));
  return report(title, contestants, rates.map(median), target);
}

function report(title: string, contestants: Contestant[], medians: number[], target: number): boolean {
  const [own = 0, generic = 0] = medians;
  console.log(`${title}: acquire + release per CPU-second, median of ${rounds}`);
  for (const [index, { name }] of contestants.entries()) {
    const rate = medians[index] ?? 0;
    const ratio = index === 0 ? '' : `  knsock is ${(own / rate).toFixed(2)} times as fast`;
    console.log(`  ${name.padEnd(15)} ${Math.round(rate).toLocaleString('en').padStart(11)}${ratio}`);
  }
  const met = own / generic >= target && own === Math.max(...medians);
  console.log(`  target: ${target} times generic-pool, and faster than all: ${met ? 'met' : 'MISSED'}\n`);
  return met;
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

async function main(): Promise<void> {
  const free = await compare('uncontended', uncontended, 200_000, TARGETS.uncontended);
  const busy = await compare(`${WAITERS} waiters on ${MAX}`, contended, 100_000, TARGETS.contended);
  if (!free || !busy) process.exitCode = 1;
}

void main();
