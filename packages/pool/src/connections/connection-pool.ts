import { connect, type Payload, type RequestOptions, type SecureConnection } from '@knsock/core';
import {
  failedCall,
  failures,
  noConnection,
  reportUnawaited,
  wrongOptions,
  type FailureReporter,
} from '@knsock/core/options';
import { Balancer } from '../endpoints/balancer.js';
import { systemClock, type Clock } from '../clock.js';
import type { Factory } from '../pool/config.js';
import {
  parseConnectionPool,
  type ConnectionPoolConfig,
  type ConnectionPoolOptions,
} from './connection-config.js';
import { ConnectionLease } from './connection-lease.js';
import { expiryOf, isAlive, isClean, isUnused, putAway } from './connection-state.js';
import { Connector } from '../endpoints/connector.js';
import { Endpoint, type EndpointStats } from '../endpoints/endpoint.js';
import { OwnEnds } from './own-ends.js';
import { PoolClosedError, UnusableError } from '../pool/errors.js';
import type { HistogramSnapshot } from '../pool/histogram.js';
import { useLease, type Lease } from '../pool/lease.js';
import { Pool } from '../pool/pool.js';
import { Requester } from './requester.js';
import { Multiplexer } from './multiplexer.js';
import type { PoolStats } from '../pool/stats.js';
import { rejectExpired } from '../pool/reject-expired.js';
import {
  closeOptions,
  requestOptions,
  waitOptions,
  type PoolCloseOptions,
  type WaitOptions,
} from '../waiting/wait-options.js';
import type { Late } from '../waiting/waiting-room.js';

/** A connection that was ended unused in so short a time was never of use, in milliseconds. */
const SHORT_LIFE = 1_000;

/** A snapshot of a connection pool; `waiting` counts callers of `acquire` and of `request`. */
export interface ConnectionPoolStats extends PoolStats {
  /** Requests in flight. */
  readonly requestsInFlight: number;
  /** Milliseconds until a request was assigned to a connection. */
  readonly requestWait: HistogramSnapshot;
  /** Milliseconds until a request was answered, including waiting and retries. */
  readonly request: HistogramSnapshot;
  /** State of each server. */
  readonly endpoints: readonly EndpointStats[];
}

/**
 * Secure connections to one server, or to several that are interchangeable. `request` shares connections as far
 * as the framing allows; `acquire` lends one exclusively.
 */
export class ConnectionPool<In = Buffer, Out = Payload> implements AsyncDisposable {
  readonly #config: ConnectionPoolConfig<In, Out>;
  readonly #name: string;
  readonly #failures: FailureReporter;
  readonly #clock: Clock;
  readonly #endpoints: readonly Endpoint[];
  readonly #connector: Connector<In, Out>;
  readonly #pool: Pool<SecureConnection<In, Out>>;
  readonly #balancer: Balancer<In, Out>;
  readonly #multiplexer: Multiplexer<In, Out>;
  readonly #requester: Requester<In, Out>;
  readonly #forgetCredentials: () => void;
  readonly #expiries = new WeakMap<SecureConnection<In, Out>, number>();
  readonly #ownEnds: OwnEnds;
  #requestTimeouts = 0;

  /** @throws InvalidOptionError naming the invalid option, also for options of `connect` · CredentialsError */
  constructor(options: ConnectionPoolOptions<In, Out>) {
    const config = (this.#config = parseConnectionPool(options));
    this.#failures = failures('onError', config.connect.onError);
    this.#ownEnds = new OwnEnds(config.multiplexing);
    const clock = (this.#clock = options.clock ?? systemClock);
    const random = options.random ?? Math.random;
    const name = (this.#name = options.name ?? 'pool');
    const endpoints = config.endpoints.map((address) => new Endpoint(address, { name, clock, random }));
    this.#endpoints = endpoints;
    this.#connector = new Connector({ endpoints, options: config.connect, connect, clock, random });
    this.#pool = new Pool({
      ...config.limits,
      // Each endpoint has its own timeout, and the next attempt starts while the last is still running.
      createTimeout: config.connectTimeout + endpoints.length * 1_000,
      ...this.#factory(),
    });
    const endpointOf = (connection: SecureConnection<In, Out>) => this.#connector.endpointOf(connection);
    this.#balancer = new Balancer({ pool: this.#pool, endpoints, endpointOf, clock, random });
    this.#multiplexer = new Multiplexer<In, Out>({
      pool: this.#pool,
      balancer: this.#balancer,
      endpointOf,
      multiplexing: config.multiplexing,
      onLate: (late) => {
        this.#late(late);
      },
      maxWaiters: options.maxWaiters ?? 10_000,
      stats: () => this.stats(),
      clock,
    });
    this.#requester = new Requester({
      config,
      name,
      multiplexer: this.#multiplexer,
      balancer: this.#balancer,
      clock,
      random,
    });
    this.#forgetCredentials = this.#watchCredentials();
  }

  /**
   * Waits until `min` connections are open, and at least one.
   * @throws the connection failure, when every endpoint has failed once
   */
  ready(options?: WaitOptions): Promise<void> {
    return this.#pool.ready(options);
  }

  /**
   * Lends a connection exclusively, with any framing.
   * @throws PoolTimeoutError · PoolQueueFullError · PoolClosedError · the signal's reason
   */
  acquire(options: WaitOptions = {}): Promise<Lease<SecureConnection<In, Out>>> {
    return reportUnawaited(this.#acquire(options), this.#unawaited);
  }

  async #acquire(options: WaitOptions): Promise<Lease<SecureConnection<In, Out>>> {
    const wrong = wrongOptions(options, waitOptions);
    if (wrong) throw wrong;
    this.#multiplexer.settle();
    const prefer = this.#balancer.leadsTo(this.#balancer.pick());
    const lending = this.#pool.acquire({ ...options, prefer });
    this.#multiplexer.makeWay();
    const lease = await lending;
    const { value } = lease;
    return new ConnectionLease(lease, this.#connector.endpointOf(value), () => {
      this.#ownEnds.add(value);
    });
  }

  /** Acquires, calls, and releases; if the function throws, the connection is kept only if its state is certain. */
  use<R>(fn: (connection: SecureConnection<In, Out>) => R | Promise<R>, options?: WaitOptions): Promise<R> {
    return reportUnawaited(this.#use(fn, options), this.#unawaited);
  }

  async #use<R>(
    fn: (connection: SecureConnection<In, Out>) => R | Promise<R>,
    options: WaitOptions = {},
  ): Promise<R> {
    return await useLease(() => this.#acquire(options), fn);
  }

  /**
   * Sends a request on any connection with capacity, and resolves with the answer. `timeout` (default `requestTimeout`)
   * covers everything: waiting for a connection, opening one, the answer. A request that was provably not started is
   * retried elsewhere; one that may have been executed only with `idempotent: true`.
   * @throws PoolTimeoutError if no connection had capacity in time; the errors of the connection's `request`
   */
  request(payload: Out, options?: RequestOptions): Promise<In> {
    const wrong = wrongOptions(options, requestOptions);
    if (wrong) return failedCall(wrong, this.#unawaited);
    return reportUnawaited(this.#requester.ask(payload, options ?? {}), this.#unawaited);
  }

  /** Replaces all current connections: idle ones at once, used ones when they are released. */
  softEvict(): void {
    this.#pool.softEvict();
  }

  /** Lends nothing and sends no new requests until `resume()`; callers wait, and their timeouts keep running. */
  suspend(): void {
    this.#pool.suspend();
    this.#multiplexer.suspend();
  }

  /** Lends again after `suspend()`. */
  resume(): void {
    this.#pool.resume();
    this.#multiplexer.resume();
  }

  /** Current counts and times. */
  stats(): ConnectionPoolStats {
    this.#multiplexer.settle();
    const stats = this.#pool.stats();
    return {
      ...stats,
      waiting: Math.max(0, stats.waiting - this.#multiplexer.acquiring) + this.#multiplexer.waiting,
      timeouts: stats.timeouts + this.#requestTimeouts,
      requestWait: this.#requester.waits.snapshot(),
      request: this.#requester.times.snapshot(),
      requestsInFlight: this.#endpoints.reduce((sum, { inFlight }) => sum + inFlight, 0),
      endpoints: this.#endpoints.map((endpoint) => endpoint.stats()),
    };
  }

  /**
   * Rejects waiting callers, closes idle connections, waits for used ones until the deadline (milliseconds, default
   * 15,000) and then destroys them. Rejects only where an option is wrong; a second call returns the same promise.
   */
  close(options: PoolCloseOptions = {}): Promise<void> {
    const wrong = wrongOptions(options, closeOptions);
    if (wrong) return failedCall(wrong, this.#unawaited);
    this.#requester.close();
    this.#failures.run(this.#forgetCredentials, noConnection, 'ending to follow a source');
    this.#multiplexer.close(new PoolClosedError());
    return this.#pool.close(options);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  readonly #unawaited = (error: Error): void => {
    this.#failures.report(error, noConnection, `a call of ${this.#name} that was not awaited`);
  };

  #late(late: readonly Late[]): void {
    this.#requestTimeouts += late.length;
    rejectExpired(this.#name, late, this.stats());
  }

  #watchCredentials(): () => void {
    const { credentials } = this.#config.connect;
    if (credentials === undefined || !('onChange' in credentials)) return () => undefined;
    return credentials.onChange(() => {
      this.#pool.supersede();
    });
  }

  #factory(): Factory<SecureConnection<In, Out>> {
    const { multiplexing } = this.#config;
    return {
      create: async ({ signal }) => {
        const connection = await this.#connector.connect(signal);
        this.#expiries.set(connection, expiryOf(connection, this.#config.connect));
        this.#watch(connection);
        return connection;
      },
      destroy: (connection, reason) => {
        this.#ownEnds.add(connection);
        return putAway(connection, reason);
      },
      validate: (connection, { signal }) => this.#validate(connection, signal),
      untouched: (connection) => this.#usable(connection),
      reusable: (connection, error) => this.#usable(connection) && (error === undefined || multiplexing),
      lifetime: (connection) => this.#expiryOf(connection) - Date.now(),
      onRetire: (connection) => {
        this.#multiplexer.retire(connection);
      },
    };
  }

  // The pool's clock stops while the machine sleeps; certificates expire meanwhile.
  #usable(connection: SecureConnection<In, Out>): boolean {
    return isClean(connection) && Date.now() < this.#expiryOf(connection);
  }

  #expiryOf(connection: SecureConnection<In, Out>): number {
    return this.#expiries.get(connection) ?? Infinity;
  }

  async #validate(connection: SecureConnection<In, Out>, signal: AbortSignal): Promise<boolean> {
    const endpoint = this.#connector.endpointOf(connection);
    const asked = this.#clock.now();
    try {
      const alive = await isAlive(connection, this.#config.multiplexing, signal);
      if (alive && this.#config.multiplexing) endpoint.answered(this.#clock.now());
      return alive;
    } catch (error) {
      if (signal.aborted && endpoint.answeredAt < asked) this.#balancer.doubt(endpoint, 'unreachable', error);
      return false;
    }
  }

  /** The end of a connection reaches the pool at once, idle or not. */
  #watch(connection: SecureConnection<In, Out>): void {
    connection.onDraining(() => {
      this.#pool.retire(connection, 'retired');
    });
    const made = this.#clock.now();
    const fresh = connection.stats();
    this.#ownEnds.watch(connection);
    void connection.closed.then(({ error }) => {
      const isShort = this.#clock.now() - made < SHORT_LIFE && !this.#ownEnds.has(connection, error);
      // A server that accepts connections and ends them serves as little as one that refuses them.
      if (isShort && isUnused(fresh, connection.stats()))
        this.#connector
          .endpointOf(connection)
          .recordFailure('unreachable', error ?? new UnusableError(error));
      this.#pool.retire(connection, 'dead');
    });
  }
}
