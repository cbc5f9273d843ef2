/** What a pool itself costs: acquire and release of resources that cost nothing. */
import { Pool } from '@knsock/pool';
import genericPool from 'generic-pool';
import { Pool as LightningPool } from 'lightning-pool';
import { Pool as TarnPool } from 'tarn';

export type PoolName = '@knsock/pool' | 'generic-pool' | 'tarn' | 'lightning-pool';

export interface CycleOptions {
  readonly pool: PoolName;
  /** Callers at once, each again as soon as it was served. */
  readonly callers: number;
  readonly ms: number;
}

const MAX = 10;
/** The clock is asked once in so many cycles. */
const BATCH = 1_000;

/** Acquires and releases until the time is over. */
export async function cycle({
  pool,
  callers,
  ms,
}: CycleOptions): Promise<{ operations: number; wallMs: number }> {
  const once = (pools[pool] ??= makers[pool]());
  const started = performance.now();
  let operations = 0;
  do {
    let left = BATCH;
    const caller = async (): Promise<void> => {
      while (left-- > 0) await once();
    };
    if (callers === 1) await caller();
    else await Promise.all(Array.from({ length: callers }, caller));
    operations += BATCH;
  } while (performance.now() - started < ms);
  return { operations, wallMs: performance.now() - started };
}

const pools: Partial<Record<PoolName, () => Promise<void>>> = {};
const create = (): object => ({});
const factory = { create: () => Promise.resolve({}), destroy: () => Promise.resolve() };

const makers: Readonly<Record<PoolName, () => () => Promise<void>>> = {
  '@knsock/pool': () => {
    const pool = new Pool({ max: MAX, create });
    return async () => {
      (await pool.acquire()).release();
    };
  },
  'generic-pool': () => {
    const pool = genericPool.createPool<object>(factory, { max: MAX });
    return async () => pool.release(await pool.acquire());
  },
  tarn: () => {
    const pool = new TarnPool<object>({
      create: factory.create,
      destroy: () => undefined,
      min: 0,
      max: MAX,
    });
    return async () => {
      pool.release(await pool.acquire().promise);
    };
  },
  'lightning-pool': () => {
    const pool = new LightningPool<object>(factory, { max: MAX });
    return async () => pool.release(await pool.acquire());
  },
};
