import type { Payload, SecureConnection } from '@knsock/core';
import { LONGEST_WAIT } from '@knsock/core/options';
import type { Balancer } from '../endpoints/balancer.js';
import type { Clock, Timer } from '../clock.js';
import type { Endpoint } from '../endpoints/endpoint.js';
import { PoolQueueFullError } from '../pool/errors.js';
import type { Lease } from '../pool/lease.js';
import type { Pool } from '../pool/pool.js';
import type { PoolStats } from '../pool/stats.js';
import { WaitingRoom, type Late, type Patience } from '../waiting/waiting-room.js';

/** How long a connection without requests is kept from the pool, milliseconds: too short to matter there. */
const REST = 50;

/** Leases here are long on purpose, not leaks. */
const UNTRACKED = { untracked: true };

/** A connection that carries requests of several callers. */
export interface Shared<In, Out> {
  readonly connection: SecureConnection<In, Out>;
  readonly endpoint: Endpoint;
  /** The current one. */
  lease: Lease<SecureConnection<In, Out>>;
  /** How many requests it carries at once. */
  readonly room: number;
  inFlight: number;
  /** How many of them were abandoned by their callers: the peer counts them until it answers. */
  givenUp: number;
  /** It takes no new requests, and returns to the pool with its last answer. */
  leaving: boolean;
}

/** Dependencies of a multiplexer. */
export interface MultiplexerSettings<In, Out> {
  readonly pool: Pool<SecureConnection<In, Out>>;
  readonly balancer: Balancer<In, Out>;
  readonly endpointOf: (connection: SecureConnection<In, Out>) => Endpoint;
  /** Whether a connection carries as many concurrent requests as its peer announced; otherwise one. */
  readonly multiplexing: boolean;
  readonly onLate: (late: readonly Late[]) => void;
  readonly maxWaiters: number;
  /** Stats of the whole pool, for errors. */
  readonly stats: () => PoolStats;
  readonly clock: Clock;
}

/**
 * Multiplexes many requests over few connections. A connection is leased from the pool with its first request and
 * returned when it carries none; meanwhile it takes as many requests as its peer allows, before another is opened.
 */
export class Multiplexer<In = Buffer, Out = Payload> {
  readonly #settings: MultiplexerSettings<In, Out>;
  readonly #shared = new Map<SecureConnection<In, Out>, Shared<In, Out>>();
  readonly #known = new WeakMap<SecureConnection<In, Out>, Shared<In, Out>>();
  readonly #acquiring = new Set<AbortController>();
  readonly #queue: WaitingRoom<Shared<In, Out>>;
  /** How many requests the last connection carried at once: the estimate for the next one. */
  #usualRoom: number;
  #resting: Timer | undefined;
  #suspended = false;
  #closed: Error | undefined;

  constructor(settings: MultiplexerSettings<In, Out>) {
    this.#settings = settings;
    this.#usualRoom = settings.multiplexing ? 128 : 1;
    this.#queue = new WaitingRoom(settings.clock, settings.onLate, () => {
      this.#dropSurplus();
    });
  }

  /** Requests waiting for a slot. */
  get waiting(): number {
    return this.#queue.size;
  }

  /** How many callers waiting for the pool's connections wait on behalf of requests. */
  get acquiring(): number {
    return this.#acquiring.size;
  }

  /** A slot on a connection: at once if one is free. Its holder must `leave`. */
  enter(patience: Patience): Shared<In, Out> | Promise<Shared<In, Out>> {
    const { maxWaiters, stats } = this.#settings;
    if (this.#closed) return Promise.reject(this.#closed);
    if (this.#queue.size === 0 && !this.#suspended) {
      const shared = this.#choose();
      if (shared) return take(shared);
    }
    if (this.#queue.size >= maxWaiters) return Promise.reject(new PoolQueueFullError(maxWaiters, stats()));
    const place = this.#queue.enter(patience);
    this.#open();
    return place;
  }

  /** @param givenUp whether the request may have ended here before its answer came */
  leave(shared: Shared<In, Out>, givenUp: boolean): void {
    if (givenUp || shared.givenUp > 0) shared.givenUp = shared.connection.stats().requestsGivenUp;
    shared.inFlight -= 1;
    shared.endpoint.inFlight -= 1;
    this.#serve();
    if (shared.inFlight === 0) this.#rest(shared);
  }

  /** Returns connections without requests, before a caller looks at the pool. */
  settle(): void {
    for (const shared of this.#shared.values()) if (shared.inFlight === 0) this.#giveBack(shared);
  }

  /** This connection should be returned soon. */
  retire(connection: SecureConnection<In, Out>): void {
    const shared = this.#shared.get(connection);
    if (!shared) return;
    shared.leaving = true;
    if (shared.inFlight === 0) this.#giveBack(shared);
  }

  /**
   * If callers wait for exclusive connections and none is free, as many shared ones stop taking requests, those with the
   * fewest in flight first: under steady load they would never be returned otherwise.
   */
  makeWay(): void {
    const { pool } = this.#settings;
    if (!pool.full) return;
    const staying = [...this.#shared.values()].filter(({ leaving }) => !leaving);
    const wanted = pool.waiting - this.#acquiring.size - (this.#shared.size - staying.length);
    staying.sort((a, b) => a.inFlight - b.inFlight);
    for (const shared of staying.slice(0, Math.max(0, wanted))) this.retire(shared.connection);
  }

  suspend(): void {
    this.#suspended = true;
  }

  resume(): void {
    this.#suspended = false;
    this.#serve();
    this.#open();
  }

  /** Rejects waiting and new callers. */
  close(reason: Error): void {
    this.#closed = reason;
    this.#resting?.cancel();
    this.#queue.clear(() => reason);
    for (const abort of this.#acquiring) abort.abort(reason);
  }

  // An idle connection to the picked endpoint is as good as a shared one. If it has neither, work doesn't wait for
  // it while another has capacity.
  #choose(): Shared<In, Out> | undefined {
    const { balancer } = this.#settings;
    const picked = balancer.pick();
    return (
      this.#withRoom(({ endpoint }) => endpoint === picked) ??
      this.#borrow(picked) ??
      this.#withRoom(({ endpoint }) => !balancer.isAside(endpoint))
    );
  }

  #borrow(endpoint: Endpoint): Shared<In, Out> | undefined {
    const { pool, balancer } = this.#settings;
    const lease = pool.tryAcquire(balancer.leadsTo(endpoint), UNTRACKED);
    return lease && this.#share(lease);
  }

  #withRoom(fits: (shared: Shared<In, Out>) => boolean): Shared<In, Out> | undefined {
    if (this.#shared.size === 0) return undefined;
    for (const shared of this.#shared.values()) {
      if (hasRoom(shared) && fits(shared)) return shared;
    }
    return undefined;
  }

  /** Requests as many connections as the waiting callers will need. */
  #open(): void {
    if (this.#suspended) return;
    const needed = Math.ceil(this.#queue.size / this.#usualRoom);
    while (this.#acquiring.size < needed) this.#acquire();
  }

  #acquire(): void {
    const { pool, balancer } = this.#settings;
    const acquiring = new AbortController();
    this.#acquiring.add(acquiring);
    const prefer = balancer.leadsTo(balancer.pick());
    // Waiting callers have their own deadlines, and a connection that is never idle is no leak.
    pool.acquire({ signal: acquiring.signal, timeout: LONGEST_WAIT, prefer, untracked: true }).then(
      (lease) => {
        this.#acquiring.delete(acquiring);
        this.#arrived(lease);
      },
      (error: unknown) => {
        this.#acquiring.delete(acquiring);
        this.#missed(acquiring, error);
      },
    );
  }

  #arrived(lease: Lease<SecureConnection<In, Out>>): void {
    const shared = this.#share(lease);
    this.#serve();
    if (shared.inFlight === 0) this.#giveBack(shared);
    else this.makeWay();
    this.#open();
  }

  #share(lease: Lease<SecureConnection<In, Out>>): Shared<In, Out> {
    const connection = lease.value;
    const shared = this.#known.get(connection) ?? this.#meet(connection, lease);
    shared.lease = lease;
    shared.leaving = false;
    this.#shared.set(connection, shared);
    return shared;
  }

  #meet(connection: SecureConnection<In, Out>, lease: Lease<SecureConnection<In, Out>>): Shared<In, Out> {
    const { endpointOf, multiplexing } = this.#settings;
    const { maxRequestsWaiting, requestsGivenUp: givenUp } = connection.stats();
    // With a peer that accepts no requests at all (0) they run into their deadlines; nothing else would help either.
    const room = (this.#usualRoom = multiplexing ? Math.max(1, maxRequestsWaiting) : 1);
    const endpoint = endpointOf(connection);
    const shared = { connection, endpoint, lease, room, inFlight: 0, givenUp, leaving: false };
    this.#known.set(connection, shared);
    return shared;
  }

  // A dropped acquire may be needed by callers that came since; one that was rejected would be rejected again at once.
  #missed(acquiring: AbortController, error: unknown): void {
    if (acquiring.signal.aborted) this.#open();
    else this.#queue.clear(() => error);
  }

  #serve(): void {
    while (this.#queue.size > 0 && !this.#suspended) {
      const shared = this.#withRoom(() => true);
      if (!shared) return;
      this.#queue.next()?.resolve(take(shared));
    }
    this.#dropSurplus();
  }

  #dropSurplus(): void {
    if (this.#queue.size > 0 || this.#acquiring.size === 0) return;
    for (const abort of this.#acquiring) abort.abort();
  }

  // A caller with sequential requests needs it again at once, and finds it here at no cost.
  #rest(shared: Shared<In, Out>): void {
    const { pool, clock, multiplexing } = this.#settings;
    // Without ids a stray message would be taken for the next answer: the pool checks first.
    if (!multiplexing || shared.leaving || pool.waiting > 0) return this.#giveBack(shared);
    this.#resting ??= clock.after(REST, () => {
      this.#resting = undefined;
      this.settle();
    });
  }

  #giveBack(shared: Shared<In, Out>): void {
    if (!this.#shared.delete(shared.connection)) return;
    shared.lease.release();
    this.#open();
  }
}

function take<In, Out>(shared: Shared<In, Out>): Shared<In, Out> {
  shared.inFlight += 1;
  shared.endpoint.inFlight += 1;
  return shared;
}

function hasRoom<In, Out>({ connection, room, inFlight, givenUp, leaving }: Shared<In, Out>): boolean {
  return inFlight + givenUp < room && !leaving && connection.state === 'open';
}
