/** Connections for undici, and with it for `fetch`; by an interface of our own, since core depends on nothing. */
import type { Socket } from 'node:net';
import { asError } from '../errors/as-error.js';
import { InvalidOptionError } from '../errors/index.js';
import { HttpDialer, type HttpClientOptions } from './client-options.js';

/** What undici says of a connection that it needs. */
export interface UndiciConnectOptions {
  /** The host of the URL. */
  readonly hostname: string;
  /** `https:`. */
  readonly protocol: string;
  /** The port of the URL; empty: 443. */
  readonly port: string;
}

/** The type of undici's option `connect`. */
export type UndiciConnector = (
  options: UndiciConnectOptions,
  callback: (...result: [error: null, socket: Socket] | [error: Error, socket: null]) => void,
) => void;

/**
 * For `new Agent({ connect: undiciConnector(options) })` of undici, and with it `fetch(url, { dispatcher })`. The URL's
 * host is the name that is asked for and verified, whatever a `Host` header says; `http:` is refused.
 * @throws InvalidOptionError, CredentialsError; what `connect` throws reaches the request
 */
export function undiciConnector(options: HttpClientOptions = {}): UndiciConnector {
  refuseAgentOptions(options);
  const dialer = new HttpDialer(options);
  return ({ hostname, protocol, port }, callback) => {
    if (protocol !== 'https:') {
      callback(new InvalidOptionError('url', `only https: is spoken here, not ${protocol}`), null);
      return;
    }
    const host = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
    dialer.dial({ host, port: port === '' ? 443 : Number(port) }).then(
      (socket) => {
        callback(null, socket as unknown as Socket);
      },
      (error: unknown) => {
        callback(asError(error), null);
      },
    );
  };
}

/** How undici keeps its connections is an option of its agent: here by the name that was given, there by its own. */
const ofAgent: Readonly<Record<string, string>> = {
  keepAlive: 'keepAliveTimeout',
  keepAliveMsecs: 'keepAliveTimeout',
  keepAliveTimeout: 'keepAliveTimeout',
  keepAliveMaxTimeout: 'keepAliveMaxTimeout',
  maxSockets: 'connections',
  maxFreeSockets: 'connections',
  connections: 'connections',
  pipelining: 'pipelining',
  timeout: 'headersTimeout',
  headersTimeout: 'headersTimeout',
  bodyTimeout: 'bodyTimeout',
};

function refuseAgentOptions(options: object): void {
  const name = Object.keys(options).find((option) => Object.hasOwn(ofAgent, option));
  if (name === undefined) return;
  const instead = `new Agent({ ${ofAgent[name] ?? name}, connect: undiciConnector(…) })`;
  throw new InvalidOptionError(name, `${name} is for undici's agent: ${instead}`);
}
