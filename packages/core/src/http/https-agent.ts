/** Connections for node:https. */
import { Agent, type RequestOptions } from 'node:https';
import type { Duplex } from 'node:stream';
import { InvalidOptionError } from '../errors/index.js';
import {
  flag,
  integerWithin,
  optionalMilliseconds,
  readOptions,
  withDefault,
  word,
  type OptionReaders,
} from '../options/index.js';
import { HttpDialer, type HttpClientOptions } from './client-options.js';

/** How an agent keeps its sockets, by the names of Node's `https.Agent`. Times are milliseconds. */
export interface AgentSocketOptions {
  /** Whether a connection is kept for later requests; default true. */
  keepAlive?: boolean | undefined;
  /** After how long without traffic TCP probes a kept connection; default 1,000. */
  keepAliveMsecs?: number | undefined;
  /** The most connections to one host and port; further requests wait; default `Infinity`. */
  maxSockets?: number | undefined;
  /** The most connections of the agent; default `Infinity`. */
  maxTotalSockets?: number | undefined;
  /** The most connections to one host and port that are kept without a request; default 256. */
  maxFreeSockets?: number | undefined;
  /** Which kept connection is used next: the last one used (default) or the first. */
  scheduling?: 'lifo' | 'fifo' | undefined;
  /** After how long without traffic a kept connection is closed, and a request emits `timeout`; off by default. */
  timeout?: number | false | undefined;
}

/** Which servers to trust, our own credentials, and how sockets are kept. */
export type SecureAgentOptions = HttpClientOptions & AgentSocketOptions;

/** How each of them is read, and its default. */
export const agentOptions = {
  keepAlive: withDefault(flag, true),
  keepAliveMsecs: withDefault(integerWithin({}), 1_000),
  maxSockets: withDefault(sockets, Infinity),
  maxTotalSockets: withDefault(sockets, Infinity),
  maxFreeSockets: withDefault(sockets, 256),
  scheduling: withDefault(word('lifo', 'fifo'), 'lifo'),
  timeout: optionalMilliseconds,
} as const satisfies OptionReaders<AgentSocketOptions>;

/** Request options that would decide trust or the way beside us; silently ignored, they would be believed. */
const refused = [
  'allowPartialTrustChain',
  'ca',
  'cert',
  'checkServerIdentity',
  'ciphers',
  'crl',
  'dhparam',
  'ecdhCurve',
  'key',
  'localAddress',
  'lookup',
  'maxVersion',
  'minVersion',
  'passphrase',
  'pfx',
  'pskCallback',
  'rejectUnauthorized',
  'secureContext',
  'secureOptions',
  'secureProtocol',
  'session',
  'sigalgs',
  'socketPath',
] as const;

interface ConnectionOptions {
  readonly host?: string | null | undefined;
  readonly port?: number | string | null | undefined;
  /** Of the request or the agent, milliseconds. */
  readonly timeout?: number | undefined;
}

/**
 * An agent for node:https. The URL's host is the name that is asked for and verified, whatever a `Host` header says;
 * options of a request that would decide trust are refused there.
 */
export class SecureAgent extends Agent {
  readonly #dialer: HttpDialer;

  /** @throws InvalidOptionError, CredentialsError; what `connect` throws reaches the request */
  constructor(options: SecureAgentOptions = {}) {
    const { timeout, ...sockets } = readOptions(options, agentOptions);
    super({ ...sockets, ...(timeout === null ? {} : { timeout }) });
    const names = Object.keys(agentOptions);
    const others = Object.entries(options).filter(([name]) => !names.includes(name));
    this.#dialer = new HttpDialer(Object.fromEntries(others), names);
  }

  /** Called by Node: a socket that connects and verifies, which the request and this agent can destroy meanwhile. */
  override createConnection(
    options: ConnectionOptions,
    callback?: (error: Error | null, socket: Duplex) => void,
  ): Duplex | undefined {
    const wrong = refusedIn(options);
    if (wrong !== undefined) {
      (callback as ((error: Error) => void) | undefined)?.(refusal(wrong));
      return undefined;
    }
    const { host, port, timeout } = options;
    const socket = this.#dialer.socket({ host: host ?? 'localhost', port: Number(port ?? 443) });
    return timeout ? socket.setTimeout(timeout) : socket;
  }

  /** Sockets are shared by requests to one host and port, under the same credentials; all else is this agent's own. */
  override getName(options: RequestOptions = {}): string {
    const { host = 'localhost', port = 443 } = options;
    const shared = `${host ?? ''}:${port ?? ''}:${this.#dialer.trustVersion}`;
    const wrong = refusedIn(options);
    // No socket has that name, so that Node asks for a new one, where the request is refused.
    return wrong === undefined ? shared : `${shared}:${wrong}`;
  }
}

function refusedIn(options: object): (typeof refused)[number] | undefined {
  return refused.find((name) => ((options as Record<string, unknown>)[name] ?? undefined) !== undefined);
}

function refusal(option: string): InvalidOptionError {
  return new InvalidOptionError(option, `${option} is decided by the agent's own options`);
}

function sockets<V extends number | undefined>(option: string, value: V): V {
  if (value === undefined || value === Infinity || (Number.isInteger(value) && value >= 1)) return value;
  throw new InvalidOptionError(option, `${option} must be a whole number of 1 or more, or Infinity`);
}
