import {
  checkConnectOptions,
  InvalidOptionError,
  isKnsock,
  knsock,
  type ConnectOptions,
  type Payload,
} from '@knsock/core';
import { anything, record, refuseUnknown, type OptionReaders } from '@knsock/core/options';
import { poolLimitOptions, type PoolLimits } from '../pool/config.js';
import { targetOf, type EndpointAddress } from '../endpoints/endpoint.js';

type PerEndpoint = 'host' | 'port' | 'path' | 'socket' | 'servername' | 'signal' | 'idleTimeout';

/** Options of `new ConnectionPool`: the servers, the limits of the pool, and all options of `connect`. */
export interface ConnectionPoolOptions<In = Buffer, Out = Payload>
  extends Omit<PoolLimits, 'createTimeout' | 'onError'>, Omit<ConnectOptions<In, Out>, PerEndpoint> {
  /** Servers that are interchangeable. */
  endpoints: readonly EndpointAddress[];
}

/** The options, grouped by what they configure. */
export interface ConnectionPoolConfig<In, Out> {
  readonly endpoints: readonly EndpointAddress[];
  readonly limits: PoolLimits;
  readonly connect: ConnectOptions<In, Out>;
  /** Whether requests can share a connection. */
  readonly multiplexing: boolean;
  /** Milliseconds that a request may take, including the wait for a connection. */
  readonly requestTimeout: number;
  readonly connectTimeout: number;
  readonly acquireTimeout: number;
}

/** The limits of a pool that are options here; `connectTimeout` stands for the other. */
const { createTimeout: _createTimeout, ...limitOptions } = poolLimitOptions;
const limitNames = Object.keys(limitOptions);

/** Options of single connections, or set by the pool: not allowed for all connections. */
const ours = ['host', 'port', 'path', 'socket', 'servername', 'signal'] as const;

/** @throws InvalidOptionError · CredentialsError: errors are found here, not with the first connection */
export function parseConnectionPool<In, Out>(
  options: ConnectionPoolOptions<In, Out>,
): ConnectionPoolConfig<In, Out> {
  const { limits, connect } = sort(options);
  const endpoints = parseEndpoints(options.endpoints);
  const [deadlines] = endpoints.map((endpoint) =>
    checkConnectOptions({ ...connect, ...targetOf(endpoint) }, [...limitNames, 'endpoints'], ours),
  ) as [ReturnType<typeof checkConnectOptions>];
  return Object.freeze({
    endpoints,
    limits,
    connect,
    multiplexing: isKnsock(connect.framing ?? knsock()),
    ...deadlines,
    acquireTimeout: poolLimitOptions.acquireTimeout('acquireTimeout', limits.acquireTimeout),
  });
}

function sort<In, Out>(
  options: ConnectionPoolOptions<In, Out>,
): Pick<ConnectionPoolConfig<In, Out>, 'limits' | 'connect'> {
  const limits: Record<string, unknown> = {};
  const connect: Record<string, unknown> = {};
  record('options', (options as object | undefined) ?? null);
  for (const [name, value] of Object.entries(options)) {
    if (name === 'endpoints' || value === undefined) continue;
    if (isIn(ours, name)) throw new InvalidOptionError(name, `${name} isn't for a pool: see endpoints`);
    (isIn(limitNames, name) ? limits : connect)[name] = value;
    // Both the pool and its connections have failures that reach no caller.
    if (name === 'onError') connect[name] = value;
  }
  return { limits, connect };
}

function isIn(names: readonly string[], name: string): boolean {
  return names.includes(name);
}

// The values are checked together, below.
const endpointOptions = {
  host: anything,
  port: anything,
  servername: anything,
} as const satisfies OptionReaders<EndpointAddress>;

function parseEndpoints(endpoints: readonly EndpointAddress[]): readonly EndpointAddress[] {
  if (!Array.isArray(endpoints) || endpoints.length === 0) {
    throw new InvalidOptionError('endpoints', 'endpoints must list at least one { host, port }');
  }
  for (const endpoint of endpoints as readonly EndpointAddress[]) {
    refuseUnknown(endpoint, endpointOptions, 'endpoints');
    const { host, port } = endpoint;
    if (typeof host !== 'string' || host === '' || !Number.isInteger(port) || port < 1 || port > 65_535) {
      throw new InvalidOptionError('endpoints', `${host}:${String(port)} is no host and port`);
    }
  }
  return Object.freeze([...(endpoints as readonly EndpointAddress[])]);
}
