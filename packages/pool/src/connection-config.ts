import { InvalidOptionError, isKnsock, knsock, type ConnectOptions, type Payload } from '@knsock/core';
import type { PoolLimits } from './config.js';
import type { EndpointAddress } from './endpoint.js';

type PerEndpoint = 'host' | 'port' | 'path' | 'socket' | 'servername' | 'signal' | 'idleTimeout';

/** What `new ConnectionPool` takes: where the servers are, the limits of the pool, and all that `connect` takes. */
export interface ConnectionPoolOptions<In = Buffer, Out = Payload>
  extends Omit<PoolLimits, 'createTimeout'>, Omit<ConnectOptions<In, Out>, PerEndpoint> {
  /** Servers that can stand in for one another. */
  endpoints: readonly EndpointAddress[];
}

/** The options, sorted by whom they concern. */
export interface ConnectionPoolConfig<In, Out> {
  readonly endpoints: readonly EndpointAddress[];
  readonly limits: PoolLimits;
  readonly connect: ConnectOptions<In, Out>;
  /** Whether requests can share a connection. */
  readonly multiplexing: boolean;
  /** Milliseconds that a request may take, waiting for a connection included. */
  readonly requestTimeout: number;
  readonly connectTimeout: number;
  readonly acquireTimeout: number;
}

const limitNames = [
  'name',
  'min',
  'max',
  'acquireTimeout',
  'maxWaiters',
  'idleTimeout',
  'maxLifetime',
  'keepalive',
  'validateAfter',
  'validateTimeout',
  'destroyTimeout',
  'leakThreshold',
  'onLeak',
  'reuse',
  'backOff',
  'clock',
  'random',
] as const satisfies readonly (keyof ConnectionPoolOptions)[];

/** @throws InvalidOptionError naming the option that can’t be */
export function parseConnectionPool<In, Out>(
  options: ConnectionPoolOptions<In, Out>,
): ConnectionPoolConfig<In, Out> {
  const { endpoints, ...rest } = options;
  const limits = Object.fromEntries(limitNames.map((name) => [name, options[name]])) as PoolLimits;
  const connect = Object.fromEntries(
    Object.entries(rest).filter(([name]) => !(limitNames as readonly string[]).includes(name)),
  ) as ConnectOptions<In, Out>;
  return Object.freeze({
    endpoints: parseEndpoints(endpoints),
    limits,
    connect,
    multiplexing: isKnsock(options.framing ?? knsock()),
    requestTimeout: options.requestTimeout ?? 30_000,
    connectTimeout: options.connectTimeout ?? 10_000,
    acquireTimeout: options.acquireTimeout ?? 30_000,
  });
}

function parseEndpoints(endpoints: readonly EndpointAddress[]): readonly EndpointAddress[] {
  if (!Array.isArray(endpoints) || endpoints.length === 0) {
    throw new InvalidOptionError('endpoints', 'endpoints must list at least one { host, port }');
  }
  for (const { host, port } of endpoints as readonly EndpointAddress[]) {
    if (typeof host !== 'string' || host === '' || !Number.isInteger(port) || port < 1 || port > 65_535) {
      throw new InvalidOptionError('endpoints', `${host}:${String(port)} is no host and port`);
    }
  }
  return Object.freeze([...(endpoints as readonly EndpointAddress[])]);
}
