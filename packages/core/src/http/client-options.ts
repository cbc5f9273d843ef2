/** The options of HTTP clients, read once, and each connection that they need. */
import { connect } from '../client/connect.js';
import { checkConnectOptions, connectOptions, type ConnectOptions } from '../client/config.js';
import { createCredentials } from '../credentials/credentials.js';
import { toSource, type CredentialSource } from '../credentials/source.js';
import { InvalidOptionError } from '../errors/index.js';
import { raw } from '../framing/index.js';
import { refuseUnknown } from '../options/index.js';
import { offAbort, onAbort } from '../waiting/on-abort.js';
import { connectingSocket, httpSocket, type Connected, type HttpSocket } from './http-socket.js';
import { IdleRetirement } from './idle-retirement.js';

/** Options of `connect` that the URL decides, or that are about messages. */
const decided = {
  host: 'the URL names the host',
  port: 'the URL names the port',
  path: 'the URL names the host',
  socket: 'the URL names the host',
  servername: "the URL's host is asked for",
  expectedName: "the URL's host is verified",
  framing: 'it is HTTP/1.1',
  heartbeat: 'HTTP/1.1 has none',
  idleTimeout: "the HTTP client's own timeouts end idle connections, and a slow answer is no idle time",
  proxyHeader: 'connections are shared by requests',
  onRequest: 'an HTTP server asks nothing',
  requestTimeout: "the HTTP client's own timeouts bound requests",
  firstMessageTimeout: "the HTTP client's own timeouts bound requests",
  maxMessageBytes: 'the HTTP client bounds bodies',
  maxRequestsInFlight: 'HTTP/1.1 answers in order',
  maxWaitingRequests: 'the HTTP client queues its requests itself',
} as const satisfies { readonly [Name in keyof ConnectOptions]?: string };

/** Which servers to trust, and our own credentials; the target comes from the URL. Times are milliseconds. */
export type HttpClientOptions = Omit<ConnectOptions, keyof typeof decided>;

/** Where one connection goes. */
export interface HttpTarget {
  readonly host: string;
  readonly port: number;
}

/** Opens the connections of one client. */
export class HttpDialer {
  readonly #options: HttpClientOptions;
  readonly #source: CredentialSource;

  /**
   * @param alsoKnown names of the client's further options, which were taken out before
   * @throws InvalidOptionError, CredentialsError
   */
  constructor(options: HttpClientOptions, alsoKnown: readonly string[] = []) {
    refuseUnknown(options, connectOptions, undefined, alsoKnown, Object.keys(decided));
    for (const [name, why] of Object.entries(decided)) {
      if ((options as Record<string, unknown>)[name] !== undefined)
        throw new InvalidOptionError(name, `${name} can't be set for HTTP: ${why}`);
    }
    checkConnectOptions({ ...options, host: 'localhost', port: 443 });
    this.#source = toSource(options.credentials, createCredentials({}));
    this.#options = options;
  }

  /** Changes with the credentials that new connections show and trust. */
  get trustVersion(): string {
    return this.#source.current.version;
  }

  /** @throws as `connect` */
  async dial(target: HttpTarget): Promise<HttpSocket> {
    return asNodes(httpSocket(await this.#open(target, this.#options.signal)));
  }

  /** A socket that connects, as Node's own: what `connect` throws destroys it, and its destruction ends the attempt. */
  socket(target: HttpTarget): HttpSocket {
    return asNodes(
      connectingSocket(async (destroyed) => {
        const { signal } = this.#options;
        signal?.throwIfAborted();
        const either = new AbortController();
        const abort = (): void => {
          either.abort(signal?.aborted === true ? signal.reason : destroyed.reason);
        };
        onAbort(signal, abort);
        onAbort(destroyed, abort);
        try {
          return await this.#open(target, either.signal);
        } finally {
          offAbort(signal, abort);
        }
      }),
    );
  }

  async #open({ host, port }: HttpTarget, signal: AbortSignal | undefined): Promise<Connected> {
    const framing = raw({ alpn: 'http/1.1', alpnOptional: true });
    const { version } = this.#source.current;
    const connection = await connect({ ...this.#options, host, port, framing, signal });
    const verified = this.#options.dangerouslySkipVerification !== true;
    return {
      connection,
      authorized: verified && connection.peer !== null,
      use: new IdleRetirement(connection, this.#source, version),
    };
  }
}

/** Node's own client sockets take the server's end as the end. */
function asNodes(socket: HttpSocket): HttpSocket {
  socket.allowHalfOpen = false;
  return socket;
}
