/** The options of `serveHttp`, parsed once. */
import {
  createServer,
  Server,
  type IncomingMessage,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import { InvalidOptionError } from '../errors/index.js';
import { flag, integer, LONGEST_WAIT, refuseUnknown } from '../options/index.js';
import type { ListenOptions } from '../server/config.js';

/** Options of `listen` that are about messages, and what bounds the same of HTTP. */
const replaced = {
  framing: 'it is HTTP/1.1',
  heartbeat: 'http.keepAliveTimeout ends idle connections',
  requestTimeout: 'http.requestTimeout bounds a request',
  firstMessageTimeout: 'http.headersTimeout bounds the first request',
  maxMessageBytes: 'the program bounds bodies, and http.maxHeaderSize headers',
  maxRequestsInFlight: 'HTTP/1.1 answers in order',
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

/** Where to listen, as whom, for whom, and how long HTTP may take. Times are milliseconds. */
export interface ServeHttpOptions extends Omit<ListenOptions, keyof typeof replaced> {
  /** Node’s options of an HTTP server, and its limits. */
  http?: HttpOptions | undefined;
}

const known = new Set<string>([
  'headersTimeout',
  'requestTimeout',
  'keepAliveTimeout',
  'connectionsCheckingInterval',
  'maxHeaderSize',
  'maxRequestsPerSocket',
  'insecureHTTPParser',
]);

/** A server that listens to nothing, with Node's own deadlines. @throws InvalidOptionError */
export function parseHttp(options: HttpOptions = {}): Server {
  refuseUnknown(options, known, 'http');
  if (flag('http.insecureHTTPParser', options.insecureHTTPParser as boolean | undefined) === true)
    throw insecureParser('http.insecureHTTPParser');
  const server = createServer({
    headersTimeout: wait('headersTimeout', options.headersTimeout) ?? 10_000,
    requestTimeout: wait('requestTimeout', options.requestTimeout) ?? 300_000,
    keepAliveTimeout: wait('keepAliveTimeout', options.keepAliveTimeout) ?? 5_000,
    connectionsCheckingInterval:
      integer('http.connectionsCheckingInterval', options.connectionsCheckingInterval, {
        min: 1,
        max: LONGEST_WAIT,
      }) ?? 1_000,
    maxHeaderSize: integer('http.maxHeaderSize', options.maxHeaderSize, { min: 1_024 }) ?? 16_384,
    // Explicit, or a flag of the process would decide.
    insecureHTTPParser: false,
  } satisfies ServerOptions);
  server.maxRequestsPerSocket = integer('http.maxRequestsPerSocket', options.maxRequestsPerSocket) ?? 0;
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

/** @throws InvalidOptionError for options of `listen` that mean nothing to HTTP */
export function refuseReplaced(options: object): void {
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

function wait(name: string, value: number | undefined): number | undefined {
  return integer(`http.${name}`, value, { max: LONGEST_WAIT });
}

function insecureParser(option: string): InvalidOptionError {
  return new InvalidOptionError(
    option,
    'insecureHTTPParser lets requests be smuggled past proxies, and is refused',
  );
}
