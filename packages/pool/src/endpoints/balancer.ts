import type { Payload, SecureConnection } from '@knsock/core';
import { pick } from './balance.js';
import type { Clock } from '../clock.js';
import type { Endpoint } from './endpoint.js';
import type { EndpointFailure } from './health.js';
import type { Pool } from '../pool/pool.js';

/** What balancing needs. */
export interface BalancerSettings<In, Out> {
  readonly pool: Pool<SecureConnection<In, Out>>;
  readonly endpoints: readonly Endpoint[];
  readonly endpointOf: (connection: SecureConnection<In, Out>) => Endpoint;
  readonly clock: Clock;
  readonly random: () => number;
}

/** Chooses endpoints, and has connections opened where the choices fall. */
export class Balancer<In = Buffer, Out = Payload> {
  readonly #settings: BalancerSettings<In, Out>;

  constructor(settings: BalancerSettings<In, Out>) {
    this.#settings = settings;
  }

  /** Where the next piece of work should go. */
  pick(): Endpoint {
    const { endpoints, clock, random } = this.#settings;
    const [only] = endpoints;
    if (endpoints.length === 1) return only as Endpoint;
    const picked = pick(endpoints, clock.now(), random);
    this.#provide(picked);
    return picked;
  }

  /** Whether a connection leads there. */
  leadsTo(endpoint: Endpoint): (connection: SecureConnection<In, Out>) => boolean {
    const { endpoints, endpointOf } = this.#settings;
    return endpoints.length === 1 ? always : (connection) => endpointOf(connection) === endpoint;
  }

  /** Whether it is one that is set aside at the moment. */
  isAside({ health }: Endpoint): boolean {
    return health.until > this.#settings.clock.now();
  }

  /** It recordFailure. Connections to one that went silent are silent too: those who get one would be the next to wait. */
  doubt(endpoint: Endpoint, how: EndpointFailure, error: unknown): void {
    const { pool, endpointOf } = this.#settings;
    if (!endpoint.recordFailure(how, error)) return;
    pool.retireWhere((connection) => endpointOf(connection) === endpoint);
  }

  // An endpoint that was away has no connections when it is back, and those of the others may suffice for every caller:
  // without this it would stay idle until theirs have grown old.
  #provide(picked: Endpoint): void {
    const { pool } = this.#settings;
    if (pool.full ? !this.#makeRoom(picked) : picked.connections > 0) return;
    // Called by name: drawn anew, one that has a small share would seldom get what was taken from another for it.
    picked.called = true;
    pool.extend();
  }

  /** One connection of the busiest goes, now or when it comes back, if that has two more; one at a time. */
  #makeRoom({ connections }: Endpoint): boolean {
    const { pool, endpoints, endpointOf } = this.#settings;
    const busiest = this.#busiest();
    if (busiest.connections < connections + 2 || endpoints.some(({ called }) => called)) return false;
    return pool.retireOne((connection) => endpointOf(connection) === busiest) !== undefined;
  }

  #busiest(): Endpoint {
    return this.#settings.endpoints.reduce((a, b) => (b.connections > a.connections ? b : a));
  }
}

const always = () => true;
