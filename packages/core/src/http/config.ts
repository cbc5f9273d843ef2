/** The options of `serveHttp`, parsed once. */
import {
  createServer,
  Server,
  type IncomingMessage,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import { InvalidOptionError } from '../errors/index.js';
import {
  flag,
  integer,
  integerWithin,
  LONGEST_WAIT,
  readAllOptions,
  refuseUnknown,
  withDefault,
  type OptionReaders,
} from '../options/index.js';
import { listenOptions, type ListenOptions } from '../server/config.js';

/** Options of `listen` that are about messages, and what bounds the same of HTTP. */
const replaced = {
  framing: 'it is HTTP/1.1',
  heartbeat: 'http.keepAliveTimeout ends idle connections',
  idleTimeout: 'http.keepAliveTimeout ends idle connections, and a slow answer is no idle time',
  requestTimeout: 'http.requestTimeout bounds a request',
  firstMessageTimeout: 'http.headersTimeout bounds the first request',
  maxMessageBytes: 'the program bounds bodies, and http.maxHeaderSize headers',
  maxRequestsInFlight: 'HTTP/1.1 answers in order',
  maxWaitingRequests: 'an HTTP server asks nothing',
} as const satisfies { readonly [Name in keyof ListenOptions]?: string };

/** Options of Node's `http.Server`, under Node's names. Times are milliseconds. */
export interface HttpOptions {
  /** How long the headers of a request may take, and a new connection its first request; default 10,000; 0: off. */
  headersTimeout?: number | undefined;
  /** How long a whole request may take to arrive, its body included; default 300,000; 0: off. */
  requestTimeout?: number | undefined;
  /** How long a connection may be idle between requests; default 5,000; 0: off. */
  keepAliveTimeout?: number | undefined;
  /** How often the two deadlines above are looked at; default 1,000. */
  connectionsCheckingInterval?: number | undefined;
  /** The most bytes of a request's headers; default 16,384. */
  maxHeaderSize?: number | undefined;
  /** The most requests on one connection; default 0: any number. */
  maxRequestsPerSocket?: number | undefined;
  /** Refused: a lenient parser lets requests be smuggled past proxies. */
  insecureHTTPParser?: false | undefined;
}

/** A request listener of node:http, asynchronous or not. */
export type HttpListener = (request: IncomingMessage, response: ServerResponse) => unknown;

/** Where to listen, with which credentials and for which clients, and HTTP's limits. Times are milliseconds. */
export interface ServeHttpOptions extends Omit<ListenOptions, keyof typeof replaced> {
  /** Node's options of an HTTP server, and its limits. */
  http?: HttpOptions | undefined;
}

const wait = integerWithin({ max: LONGEST_WAIT });

/** How each of them is read, and its default. */
export const httpOptions = {
  headersTimeout: withDefault(wait, 10_000),
  requestTimeout: withDefault(wait, 300_000),
  keepAliveTimeout: withDefault(wait, 5_000),
  connectionsCheckingInterval: withDefault(integerWithin({ min: 1, max: LONGEST_WAIT }), 1_000),
  maxHeaderSize: withDefault(integerWithin({ min: 1_024 }), 16_384),
  maxRequestsPerSocket: withDefault(integer, 0),
  insecureHTTPParser: refuseInsecureParser,
} as const satisfies OptionReaders<HttpOptions>;

/** A server that listens to nothing, with Node's own deadlines. @throws InvalidOptionError */
export function parseHttp(options: HttpOptions = {}): Server {
  const { maxRequestsPerSocket, ...read } = readAllOptions(options, httpOptions, 'http');
  const server = createServer(read satisfies ServerOptions);
  server.maxRequestsPerSocket = maxRequestsPerSocket;
  return server;
}

/** The program's own server, of which the same is demanded. @throws InvalidOptionError */
export function checkServer(server: Server, http: HttpOptions | undefined): void {
  if (http !== undefined)
    throw new InvalidOptionError('http', 'a server of your own has its own options; http is for a listener');
  const parser = server as { insecureHTTPParser?: boolean | undefined };
  if (parser.insecureHTTPParser === true) throw insecureParser('insecureHTTPParser');
  parser.insecureHTTPParser = false;
}

/** @throws InvalidOptionError for options of `listen` that mean nothing to HTTP, and for those that don't exist */
export function refuseReplaced(options: object): void {
  refuseUnknown(options, { ...listenOptions, http: httpOptions }, undefined, [], Object.keys(replaced));
  for (const [name, instead] of Object.entries(replaced)) {
    if ((options as Record<string, unknown>)[name] === undefined) continue;
    throw new InvalidOptionError(name, `${name} has no meaning for HTTP: ${instead}`);
  }
}

/** @throws InvalidOptionError */
export function checkApp(app: unknown): asserts app is HttpListener | Server {
  if (typeof app === 'function' || app instanceof Server) return;
  throw new InvalidOptionError(
    'app',
    'app must be a request listener of node:http, such as an Express application, or an http.Server',
  );
}

/** @returns false in any case, or a flag of the process would decide */
function refuseInsecureParser(option: string, value: boolean | undefined): false {
  if (flag(option, value) === true) throw insecureParser(option);
  return false;
}

function insecureParser(option: string): InvalidOptionError {
  return new InvalidOptionError(
    option,
    'insecureHTTPParser lets requests be smuggled past proxies, and is refused',
  );
}
