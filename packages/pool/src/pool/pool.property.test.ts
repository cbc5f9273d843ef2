import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Lease } from './lease.js';
import { ManualClock, settled } from '../manual-clock.js';
import { Pool } from './pool.js';

/**
 * A pool driven through a random history, with a factory that keeps its own count of resources and holders:
 * the pool's own statements aren't trusted.
 */
class Model {
  readonly clock = new ManualClock();
  readonly pool: Pool<object>;
  readonly max: number;
  readonly exists = new Set<object>();
  readonly held = new Map<object, Lease<object>>();
  readonly dead = new Set<object>();
  readonly creations: { succeed(): void; fail(): void }[] = [];
  readonly checks: ((alive: boolean) => void)[] = [];
  readonly destructions: (() => void)[] = [];
  readonly waiting: { number: number; abort: AbortController }[] = [];
  underConstruction = 0;
  /** Violations found inside callbacks. */
  readonly broken: string[] = [];
  calls = 0;
  answered = 0;

  constructor({ max, min, reuse }: { max: number; min: number; reuse: 'lifo' | 'fifo' }) {
    this.max = max;
    this.pool = new Pool<object>({
      max,
      min,
      reuse,
      clock: this.clock,
      random: () => 0.5,
      acquireTimeout: 1_000,
      idleTimeout: 3_000,
      maxLifetime: 10_000,
      keepalive: 2_000,
      validateTimeout: 300,
      createTimeout: 800,
      destroyTimeout: 500,
      backOff: { longest: 1_000 },
      create: ({ signal }) => this.#create(signal),
      validate: (resource) =>
        this.dead.has(resource) ? false : new Promise((resolve) => this.checks.push(resolve)),
      destroy: (resource) => this.#destroy(resource),
    });
  }

  acquire(timeout: number): void {
    const call = { number: (this.calls += 1), abort: new AbortController() };
    this.waiting.push(call);
    const leave = () => {
      this.answered += 1;
      this.waiting.splice(this.waiting.indexOf(call), 1);
    };
    this.pool.acquire({ timeout, signal: call.abort.signal }).then(
      (lease) => {
        if (this.waiting.some(({ number }) => number < call.number))
          this.broken.push('served before an earlier caller');
        if (this.held.has(lease.value)) this.broken.push('one resource, two holders');
        if (!this.exists.has(lease.value)) this.broken.push('a destroyed resource was lent');
        if (this.dead.has(lease.value)) this.broken.push('a dead resource was lent');
        leave();
        this.held.set(lease.value, lease);
      },
      () => leave(),
    );
  }

  try(): void {
    const lease = this.pool.tryAcquire((resource) => !this.dead.has(resource));
    if (!lease) return;
    if (this.waiting.length > 0) this.broken.push('one who tried went before one who waits');
    if (this.held.has(lease.value)) this.broken.push('one resource, two holders');
    this.held.set(lease.value, lease);
  }

  give(index: number, how: 'release' | 'destroy'): void {
    const entry = [...this.held][index % Math.max(this.held.size, 1)];
    if (!entry) return;
    this.held.delete(entry[0]);
    entry[1][how]();
  }

  kill(index: number): void {
    const resource = [...this.exists][index % Math.max(this.exists.size, 1)];
    if (!resource) return;
    this.dead.add(resource);
    this.pool.retire(resource, 'dead');
  }

  check(): void {
    const { total, active, idle, waiting, suspended } = this.pool.stats();
    expect(this.broken).toEqual([]);
    expect(this.exists.size + this.underConstruction, 'more than max').toBeLessThanOrEqual(this.max);
    expect(total).toBe(this.exists.size + this.underConstruction);
    expect(active).toBe(this.held.size);
    expect(waiting, 'a waiter was lost').toBe(this.waiting.length);
    // One that is being checked for a caller isn't idle; others stay so meanwhile, since one is enough.
    if (idle > 0 && !suspended)
      expect(waiting, 'an idle resource while a caller waits').toBeLessThanOrEqual(this.checks.length);
  }

  /** Lets everything finish: no caller may be left waiting, and no resource left. */
  async finish(): Promise<void> {
    this.pool.resume();
    for (let round = 0; round < 20; round += 1) {
      while (this.held.size > 0) this.give(0, 'release');
      for (const creation of this.creations.splice(0)) creation.succeed();
      for (const answer of this.checks.splice(0)) answer(true);
      for (const end of this.destructions.splice(0)) end();
      await this.clock.advance(100);
    }
    expect(this.waiting, 'a waiter was never answered').toEqual([]);
    const closed = this.pool.close({ deadline: 100 });
    await this.clock.advance(1_000);
    await closed;
    expect(this.broken).toEqual([]);
    expect(this.exists.size, 'something leaked').toBe(0);
    expect(this.answered).toBe(this.calls);
    expect(this.clock.timers, 'a timer was left').toBe(0);
  }

  #create(signal: AbortSignal): Promise<object> {
    this.underConstruction += 1;
    return new Promise((resolve, reject) => {
      let open = true;
      const end = (action: () => void) => () => {
        if (!open) return;
        open = false;
        this.underConstruction -= 1;
        action();
      };
      const resource = {};
      const fail = end(() => reject(new Error('refused')));
      signal.addEventListener('abort', fail);
      this.creations.push({ succeed: end(() => resolve(this.exists.add(resource) && resource)), fail });
    });
  }

  #destroy(resource: object): Promise<void> {
    if (this.held.has(resource)) this.broken.push('a lent resource was destroyed');
    return new Promise((resolve) => {
      const end = () => resolve(void this.exists.delete(resource));
      this.destructions.push(end);
      // A late destruction counts as done once the pool stopped waiting for it.
      this.clock.after(500, end);
    });
  }
}

type Step = (model: Model) => unknown;

const index = fc.nat({ max: 20 });
const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom(200, 1_000, 5_000).map(
      (ms): Step =>
        (m) =>
          m.acquire(ms),
    ),
  },
  {
    weight: 5,
    arbitrary: index.map(
      (i): Step =>
        (m) =>
          m.give(i, 'release'),
    ),
  },
  {
    weight: 1,
    arbitrary: index.map(
      (i): Step =>
        (m) =>
          m.give(i, 'destroy'),
    ),
  },
  { weight: 5, arbitrary: fc.constant<Step>((m) => m.creations.shift()?.succeed()) },
  { weight: 1, arbitrary: fc.constant<Step>((m) => m.creations.shift()?.fail()) },
  {
    weight: 2,
    arbitrary: fc.boolean().map(
      (alive): Step =>
        (m) =>
          m.checks.shift()?.(alive),
    ),
  },
  { weight: 2, arbitrary: fc.constant<Step>((m) => m.destructions.shift()?.()) },
  {
    weight: 2,
    arbitrary: index.map(
      (i): Step =>
        (m) =>
          m.waiting[i % Math.max(m.waiting.length, 1)]?.abort.abort(),
    ),
  },
  {
    weight: 1,
    arbitrary: index.map(
      (i): Step =>
        (m) =>
          m.kill(i),
    ),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom(50, 600, 2_500).map(
      (ms): Step =>
        (m) =>
          m.clock.advance(ms),
    ),
  },
  { weight: 1, arbitrary: fc.constant<Step>((m) => m.try()) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Step>(
      (m) => m.pool.extend(),
      (m) => m.pool.retireOne(() => true),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Step>(
      (m) => m.pool.softEvict(),
      (m) => m.pool.supersede(),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Step>(
      (m) => m.pool.suspend(),
      (m) => m.pool.resume(),
    ),
  },
);

const shape = fc.record({
  max: fc.integer({ min: 1, max: 4 }),
  min: fc.integer({ min: 0, max: 1 }),
  reuse: fc.constantFrom('lifo' as const, 'fifo' as const),
});

const runs = Number(process.env['KNSOCK_POOL_RUNS'] ?? 400);

it(
  'holds its promises through random histories',
  async () => {
    const history = fc.asyncProperty(shape, fc.array(steps, { maxLength: 60 }), async (options, actions) => {
      const model = new Model(options);
      for (const act of actions) {
        await act(model);
        await settled();
        model.check();
      }
      await model.finish();
    });
    await fc.assert(history, { numRuns: runs, endOnFailure: true });
  },
  30_000 + runs * 50,
);
