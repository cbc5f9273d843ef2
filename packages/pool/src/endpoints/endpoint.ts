import type { ConnectOptions } from '@knsock/core';
import type { Candidate } from './balance.js';
import { channels } from '../pool/channels.js';
import type { Clock } from '../clock.js';
import { recordFailure, healthy, share, succeeded, type EndpointFailure, type Health } from './health.js';

/** The address of a server. The name is resolved again for every connection. */
export interface EndpointAddress {
  /** A name or an address. */
  readonly host: string;
  /** From 1 to 65535. */
  readonly port: number;
  /** The server name to request and verify, if it isn't the host. */
  readonly servername?: string | undefined;
}

/** The same as options of `connect`. */
export function targetOf({
  host,
  port,
  servername,
}: EndpointAddress): Pick<ConnectOptions, 'host' | 'port' | 'servername'> {
  return { host, port, ...(servername !== undefined && { servername }) };
}

/** A snapshot of an endpoint. */
export interface EndpointStats {
  /** `host:port`. */
  readonly endpoint: string;
  /** Connections that exist. */
  readonly connections: number;
  /** Connections being opened. */
  readonly connecting: number;
  /** Connections lent exclusively. */
  readonly active: number;
  /** Requests in flight. */
  readonly requestsInFlight: number;
  /** Its current share of its usual work: 0 while set aside, 1 when healthy. */
  readonly share: number;
  /** Why it was last ejected; undefined if it never was. */
  readonly lastError: unknown;
}

/** The pool's state of one server. */
export class Endpoint implements Candidate {
  readonly address: EndpointAddress;
  readonly name: string;
  open = 0;
  connecting = 0;
  called = false;
  /** Ids of the connections that are lent exclusively. */
  readonly lent = new Set<number>();
  inFlight = 0;
  /** When it last responded. */
  answeredAt = -Infinity;
  readonly #pool: string;
  readonly #clock: Clock;
  readonly #random: () => number;
  #health: Health = healthy;
  #lastError: unknown;

  constructor(address: EndpointAddress, pool: { name: string; clock: Clock; random: () => number }) {
    this.address = address;
    this.name = `${address.host}:${address.port}`;
    this.#pool = pool.name;
    this.#clock = pool.clock;
    this.#random = pool.random;
  }

  get health(): Health {
    return this.#health;
  }

  get load(): number {
    return this.inFlight + this.lent.size;
  }

  get connections(): number {
    return this.open + this.connecting;
  }

  answered(now: number): void {
    this.answeredAt = now;
    this.#health = succeeded(this.#health, now);
  }

  /** Returns whether that sets it aside. */
  recordFailure(how: EndpointFailure, error: unknown): boolean {
    const now = this.#clock.now();
    const before = this.#health;
    this.#health = recordFailure(before, how, now, this.#random);
    this.#lastError = error;
    if (this.#health.until === before.until) return false;
    this.called = false;
    if (channels.ejected.hasSubscribers) {
      channels.ejected.publish({
        pool: this.#pool,
        endpoint: this.name,
        ms: this.#health.until - now,
        error,
      });
    }
    return true;
  }

  stats(): EndpointStats {
    return {
      endpoint: this.name,
      connections: this.open,
      connecting: this.connecting,
      active: this.lent.size,
      requestsInFlight: this.inFlight,
      share: share(this.#health, this.#clock.now()),
      lastError: this.#lastError,
    };
  }
}
