import type { Payload, SecureConnection } from '@knsock/core';
import { pick } from './balance.js';
import type { Clock } from '../clock.js';
import type { Endpoint } from './endpoint.js';
import type { EndpointFailure } from './health.js';
import type { Pool } from '../pool/pool.js';

/** Dependencies of balancing. */
export interface BalancerSettings<In, Out> {
  readonly pool: Pool<SecureConnection<In, Out>>;
  readonly endpoints: readonly Endpoint[];
  readonly endpointOf: (connection: SecureConnection<In, Out>) => Endpoint;
  readonly clock: Clock;
  readonly random: () => number;
}

/** Chooses endpoints, and has connections opened to the chosen ones. */
export class Balancer<In = Buffer, Out = Payload> {
  readonly #settings: BalancerSettings<In, Out>;

  constructor(settings: BalancerSettings<In, Out>) {
    this.#settings = settings;
  }

  /** The endpoint for the next request. */
  pick(): Endpoint {
    const { endpoints, clock, random } = this.#settings;
    const [only] = endpoints;
    if (endpoints.length === 1) return only as Endpoint;
    const picked = pick(endpoints, clock.now(), random);
    this.#provide(picked);
    return picked;
  }

  /** Whether a connection leads to it. */
  leadsTo(endpoint: Endpoint): (connection: SecureConnection<In, Out>) => boolean {
    const { endpoints, endpointOf } = this.#settings;
    return endpoints.length === 1 ? always : (connection) => endpointOf(connection) === endpoint;
  }

  /** Whether it is set aside at the moment. */
  isAside({ health }: Endpoint): boolean {
    return health.until > this.#settings.clock.now();
  }

  /** Records a failure. Connections to an unresponsive endpoint are unresponsive too: their next users would wait as well. */
  doubt(endpoint: Endpoint, how: EndpointFailure, error: unknown): void {
    const { pool, endpointOf } = this.#settings;
    if (!endpoint.recordFailure(how, error)) return;
    pool.retireWhere((connection) => endpointOf(connection) === endpoint);
  }

  // A recovered endpoint has no connections, and those of the others may suffice for every caller:
  // without this it would stay idle until theirs have grown old.
  #provide(picked: Endpoint): void {
    const { pool } = this.#settings;
    if (pool.full ? !this.#makeRoom(picked) : picked.connections > 0) return;
    // Reserved for it: in a new draw, one with a small share would seldom get the place that was freed for it.
    picked.called = true;
    pool.extend();
  }

  /** Closes one connection of the busiest endpoint, now or on release, if that has two more; one at a time. */
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
