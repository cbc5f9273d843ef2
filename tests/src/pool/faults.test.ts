/**
 * A pool with failing servers: the contract's guarantees hold meanwhile. `KNSOCK_FAULT_MS` makes each scenario
 * run longer than the second or two that a test run has for it.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import {
  createCredentials,
  serve,
  type Credentials,
  type RequestOptions,
  type SecureServer,
} from '@knsock/core';
import { ConnectionPool, type ConnectionPoolOptions, type PoolEvents } from '@knsock/pool';
import { afterEach, beforeAll, expect, it, vi } from 'vitest';
import { createWorld, portOf, type World } from '../support/world.js';
import { Changing } from './changing.js';
import { Wire } from './wire.js';

const DURATION = Number(process.env['KNSOCK_FAULT_MS'] ?? 1_000);
const LIMIT = 30_000 + DURATION * 10;

let world: World;
const open: AsyncDisposable[] = [];

beforeAll(async () => {
  world = await createWorld();
});

afterEach(async () => {
  for (const thing of open.splice(0).reverse()) await thing[Symbol.asyncDispose]();
}, 30_000);

function keep<T extends AsyncDisposable>(thing: T): T {
  open.push(thing);
  return thing;
}

function poolOf(ports: number[], options: Partial<ConnectionPoolOptions> = {}): ConnectionPool {
  const endpoints = ports.map((port) => ({ host: '127.0.0.1', port }));
  return keep(new ConnectionPool({ endpoints, credentials: world.client, ...options }));
}

/** A server that records its requests, and can be stopped gracefully or not, and restarted on its port. */
class Backend implements AsyncDisposable {
  readonly #seen: Map<string, number>;
  #server: SecureServer | undefined;
  port = 0;

  /** @param seen how often each request was executed, by all backends that share it */
  constructor(seen: Map<string, number>) {
    this.#seen = seen;
  }

  async start(): Promise<this> {
    const options = {
      host: '127.0.0.1',
      port: this.port,
      credentials: world.server,
      clientCertificates: 'require',
    } as const;
    this.#server = await serve(options, async ({ payload }) => {
      const text = payload.toString();
      this.#seen.set(text, (this.#seen.get(text) ?? 0) + 1);
      await new Promise((resolve) => setTimeout(resolve, 2));
      return payload;
    });
    this.port = portOf(this.#server);
    return this;
  }

  async stop(): Promise<void> {
    await this.#server?.close({ deadline: 5_000 });
  }

  /** Who is connected, by common name. */
  clients(): Set<string | undefined> {
    return new Set([...(this.#server?.connections() ?? [])].map(({ peer }) => peer?.commonNames[0]));
  }

  async kill(): Promise<void> {
    for (const connection of this.#server?.connections() ?? []) connection.destroy();
    await this.#server?.close({ deadline: 1 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.close({ deadline: 100 });
  }
}

/** Many callers, each sending again as soon as it was answered, until stopped. */
class Load implements AsyncDisposable {
  readonly failures: unknown[] = [];
  readonly times: number[] = [];
  answered = 0;
  #stopped = false;
  readonly #callers: Promise<void>[];

  private constructor(pool: ConnectionPool, callers: number, options: RequestOptions) {
    this.#callers = Array.from({ length: callers }, async (_, caller) => {
      for (let turn = 0; !this.#stopped; turn += 1) await this.#ask(pool, `${caller}/${turn}`, options);
    });
  }

  /** It stops with the test at the latest: callers whose pool is closed would ask again and again at once. */
  static on(pool: ConnectionPool, callers: number, options: RequestOptions = {}): Load {
    return keep(new Load(pool, callers, options));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop().then(() => undefined);
  }

  async stop(): Promise<this> {
    this.#stopped = true;
    await Promise.all(this.#callers);
    return this;
  }

  async #ask(pool: ConnectionPool, text: string, options: RequestOptions): Promise<void> {
    const started = performance.now();
    try {
      const answer = String(await pool.request(text, { timeout: 10_000, ...options }));
      if (answer !== text) this.failures.push(`${text} was answered ${answer}`);
      this.answered += 1;
      this.times.push(performance.now() - started);
    } catch (error) {
      this.failures.push(error);
    }
  }
}

/** Time under load, which is what these scenarios are about. */
function underLoad(ms = DURATION): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function percentile(times: number[], share: number): number {
  const sorted = times.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) * share)] ?? 0;
}

it(
  'a graceful rolling restart of three servers fails, loses and doubles nothing',
  async () => {
    const seen = new Map<string, number>();
    const backends = await Promise.all([1, 2, 3].map(() => new Backend(seen).start()));
    backends.forEach(keep);
    const pool = poolOf(
      backends.map(({ port }) => port),
      { max: 6 },
    );
    await pool.ready();
    const load = Load.on(pool, 20);
    for (const backend of backends) {
      await underLoad(DURATION / 6);
      await backend.stop();
      await backend.start();
    }
    await underLoad(DURATION / 6);
    await load.stop();
    expect(load.failures).toEqual([]);
    expect(load.answered).toBeGreaterThan(50);
    expect(seen.size).toBe(load.answered);
    expect([...seen.values()].filter((times) => times !== 1)).toEqual([]);
  },
  LIMIT,
);

it(
  'a server that is killed and restarted fails no idempotent request, and what may have run is not sent twice',
  async () => {
    const seen = new Map<string, number>();
    const backend = keep(await new Backend(seen).start());
    const pool = poolOf([backend.port], { backOff: { first: 10, longest: 100 } });
    await pool.ready();
    const careful = Load.on(pool, 10);
    await underLoad(DURATION / 4);
    await backend.kill();
    await underLoad(DURATION / 4);
    await backend.start();
    await underLoad(DURATION / 4);
    await careful.stop();
    // At most those in flight at the kill are lost, each with an error that says so; none was executed twice.
    expect(careful.failures.length).toBeLessThanOrEqual(10);
    for (const error of careful.failures)
      expect(error).toMatchObject({ code: expect.stringMatching(/^KNSOCK_CONNECTION_/) as string });
    expect([...seen.values()].filter((times) => times !== 1)).toEqual([]);

    const again = Load.on(pool, 10, { idempotent: true });
    await underLoad(DURATION / 4);
    await backend.kill();
    await backend.start();
    await underLoad(DURATION / 4);
    await again.stop();
    expect(again.failures).toEqual([]);
    expect(again.answered).toBeGreaterThan(10);
  },
  LIMIT,
);

it(
  'after an outage min connections are there again without anybody asking, and it was tried with patience',
  async () => {
    const backend = keep(await new Backend(new Map()).start());
    const wire = keep(await Wire.to(backend.port));
    const pool = poolOf([wire.port], { min: 3, max: 20, backOff: { first: 50, longest: 200 } });
    await pool.ready();
    await backend.kill();
    const waiting = Array.from({ length: 200 }, () => pool.acquire());
    // Concurrent attempts fail first; then one attempt at a time is made, however many callers wait.
    const failures = () => pool.stats().lastFailure?.count ?? 0;
    await vi.waitFor(() => expect(failures()).toBeGreaterThan(1), 10_000);
    const [tried, failed] = [wire.accepted, failures()];
    await vi.waitFor(() => expect(failures()).toBeGreaterThan(failed + 3), 10_000);
    expect(wire.accepted - tried).toBeLessThanOrEqual(failures() - failed + 1);
    await backend.start();
    for (const lease of waiting) (await lease).release();
    await expect.poll(() => pool.stats()).toMatchObject({ active: 0, waiting: 0, lastFailure: undefined });
    pool.softEvict();
    await backend.kill();
    await vi.waitFor(() => expect(pool.stats().lastFailure).toBeDefined());
    await backend.start();
    await expect.poll(() => pool.stats(), { timeout: 10_000 }).toMatchObject({ idle: 3, creating: 0 });
  },
  LIMIT,
);

it(
  'a black-holed endpoint is set aside, and the others are as fast as before',
  async () => {
    const seen = new Map<string, number>();
    const backends = await Promise.all([1, 2, 3].map(() => new Backend(seen).start()));
    backends.forEach(keep);
    const [first, second, third] = backends as [Backend, Backend, Backend];
    const wire = keep(await Wire.to(third.port));
    const pool = poolOf([first.port, second.port, wire.port], { max: 6, min: 3, validateTimeout: 300 });
    await pool.ready();
    const healthy = await measured(pool);
    const aside = ejected(`127.0.0.1:${wire.port}`);
    wire.freeze();
    const falling = Load.on(pool, 10, { timeout: 400 });
    await aside;
    await falling.stop();
    // It shows that no caller waits for the black hole; a slow moment of this machine must not fail it.
    await vi.waitFor(async () => {
      const after = await measured(pool);
      expect(after.failures).toEqual([]);
      expect(percentile(after.times, 0.99)).toBeLessThan(2 * percentile(healthy.times, 0.99));
    }, 20_000);
  },
  LIMIT,
);

/** Resolves when a pool sets that endpoint aside. */
function ejected(endpoint: string): Promise<void> {
  return new Promise((resolve) => {
    const hear = (message: unknown) => {
      if ((message as PoolEvents['knsock:pool:endpoint-ejected']).endpoint !== endpoint) return;
      unsubscribe('knsock:pool:endpoint-ejected', hear);
      resolve();
    };
    subscribe('knsock:pool:endpoint-ejected', hear);
  });
}

async function measured(pool: ConnectionPool): Promise<Load> {
  const load = Load.on(pool, 10);
  await underLoad(DURATION / 2);
  return load.stop();
}

it(
  'an endpoint that accepts slowly holds up nobody',
  async () => {
    const seen = new Map<string, number>();
    const quick = keep(await new Backend(seen).start());
    const behind = keep(await new Backend(seen).start());
    const wire = keep(await Wire.to(behind.port));
    wire.acceptDelay = 8_000;
    const pool = poolOf([wire.port, quick.port], { max: 4 });
    const started = performance.now();
    await Promise.all(Array.from({ length: 20 }, (_, n) => pool.request(`${n}`)));
    expect(performance.now() - started).toBeLessThan(5_000);
  },
  LIMIT,
);

it(
  'half-open peers are found by a check before anybody is lent one',
  async () => {
    const seen = new Map<string, number>();
    const backend = keep(await new Backend(seen).start());
    const wire = keep(await Wire.to(backend.port));
    const pool = poolOf([wire.port, backend.port], { max: 4, validateAfter: 0, validateTimeout: 200 });
    const leases = await Promise.all([1, 2, 3, 4].map(() => pool.acquire()));
    for (const lease of leases) lease.release();
    expect(pool.stats().endpoints[0]?.connections).toBeGreaterThan(0);
    wire.freeze();
    for (let turn = 0; turn < 5; turn += 1) {
      expect(String(await pool.request(`${turn}`, { timeout: 5_000 }))).toBe(`${turn}`);
    }
  },
  LIMIT,
);

it(
  'connections cut on the wire are replaced before the next request',
  async () => {
    const seen = new Map<string, number>();
    const backend = keep(await new Backend(seen).start());
    const wire = keep(await Wire.to(backend.port));
    const pool = poolOf([wire.port]);
    for (let turn = 0; turn < 5; turn += 1) {
      expect(String(await pool.request(`${turn}`))).toBe(`${turn}`);
      wire.cut();
      await expect.poll(() => pool.stats().idle).toBe(0);
    }
    expect([...seen.values()]).toEqual([1, 1, 1, 1, 1]);
  },
  LIMIT,
);

it(
  'a certificate rotated under load fails nothing, and every connection ends up with the new one',
  async () => {
    const seen = new Map<string, number>();
    const backend = keep(await new Backend(seen).start());
    const source = new Changing(world.client);
    const pool = poolOf([backend.port], { credentials: source, max: 3 });
    await pool.ready();
    const load = Load.on(pool, 20);
    for (const name of ['second', 'third', 'fourth']) {
      source.change(await clientNamed(name));
      await expect.poll(() => backend.clients()).toEqual(new Set([name]));
    }
    await load.stop();
    expect(load.failures).toEqual([]);
    expect(load.answered).toBeGreaterThan(50);
    expect([...seen.values()].filter((times) => times !== 1)).toEqual([]);
    expect(pool.stats()).toMatchObject({ active: 0, waiting: 0 });
  },
  LIMIT,
);

async function clientNamed(commonName: string): Promise<Credentials> {
  const { authority } = world;
  const { chain, key } = await authority.issue({
    kind: 'client',
    names: ['app.example'],
    commonName,
    days: 1,
  });
  return createCredentials({ cert: chain, key, ca: authority.root });
}

it(
  '10,000 waiters are all served, in order, by ten connections',
  async () => {
    const backend = keep(await new Backend(new Map()).start());
    const pool = poolOf([backend.port], { max: 10 });
    const order: number[] = [];
    const callers = Array.from({ length: 10_000 }, async (_, n) => {
      const lease = await pool.acquire();
      order.push(n);
      lease.release();
    });
    expect(pool.stats().waiting).toBe(10_000);
    await Promise.all(callers);
    expect(order).toEqual(order.toSorted((a, b) => a - b));
    expect(pool.stats()).toMatchObject({ waiting: 0, active: 0 });
    expect(pool.stats().created).toBeLessThanOrEqual(10);
  },
  LIMIT,
);

it(
  'when all acquires are aborted nothing is lost: what was being opened is there for the next',
  async () => {
    const backend = keep(await new Backend(new Map()).start());
    const pool = poolOf([backend.port], { max: 5 });
    const abort = new AbortController();
    const callers = Array.from({ length: 100 }, () => pool.acquire({ signal: abort.signal }));
    abort.abort(new Error('never mind'));
    const results = await Promise.allSettled(callers);
    expect(results.every(({ status }) => status === 'rejected')).toBe(true);
    await expect.poll(() => pool.stats()).toMatchObject({ idle: 5, creating: 0, waiting: 0 });
    const lease = await pool.acquire({ timeout: 0 });
    lease.release();
  },
  LIMIT,
);
