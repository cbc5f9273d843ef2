/** HTTP over our listener: admission, limits, handshake, verification, rotation and drain are `listen`'s, the rest is Node's. */
import { Server } from 'node:http';
import type { SecureConnection } from '../connection/connection-types.js';
import type { Credentials } from '../credentials/credentials.js';
import { raw } from '../framing/index.js';
import type { FailureReporter } from '../errors/failure-reporter.js';
import { failures, wrongOptions } from '../options/index.js';
import { closeOptions, limitOptions } from '../policy/limits.js';
import { listen } from '../server/listen.js';
import type { Rotation, SecureServer, ServerAddress, ServerStats } from '../server/secure-server.js';
import {
  checkApp,
  checkServer,
  parseHttp,
  refuseReplaced,
  type HttpListener,
  type ServeHttpOptions,
} from './config.js';
import { guarded } from './guarded-listeners.js';
import { HttpHost } from './http-host.js';
import { offAbort, onAbort } from '../waiting/on-abort.js';

/** A server of HTTP. */
export interface HttpServer extends AsyncDisposable {
  /** Where it listens. */
  readonly address: ServerAddress;
  /** Node's server, which never listens: for upgrades (`new WebSocketServer({ server: http })`) and its other events. */
  readonly http: Server;
  /** The open connections. */
  connections(): Iterable<SecureConnection>;
  /** Counts since it began to listen. */
  stats(): ServerStats;
  /** As `SecureServer.rotate`. @throws CredentialsError, InvalidOptionError; nothing has changed then */
  rotate(next: Credentials | Rotation): Promise<void>;
  /**
   * Stops accepting, answers requests under way and on their way with `Connection: close`, ends a connection that had no
   * request for half a second, and cuts off what isn't done by the deadline (default `drainTimeout`). What was upgraded is
   * the program's to end.
   */
  close(options?: { deadline?: number | undefined }): Promise<void>;
}

/**
 * Serves HTTP/1.1 over TLS: `app` is a request listener of node:http (an Express application, Fastify's `routing`,
 * Hono's `getHttpListener`) or an `http.Server` that doesn't listen. A listener that throws or rejects answers 500; only the
 * promises that listeners of 'request' of a given server return are that server's own.
 * Clients offer `http/1.1` by ALPN or nothing.
 * @throws InvalidOptionError, CredentialsError, PortInUseError, ConnectionError
 */
export async function serveHttp(options: ServeHttpOptions, app: HttpListener | Server): Promise<HttpServer> {
  checkApp(app);
  refuseReplaced(options);
  const { http: _http, ...listenOptions } = options;
  const drainTimeout = limitOptions.drainTimeout('drainTimeout', options.drainTimeout);
  const reporter = failures('onError', options.onError);
  const host = new HttpHost(serverOf(app, options, reporter), drainTimeout, reporter);
  try {
    const server = await listen(
      { ...listenOptions, framing: raw({ alpn: 'http/1.1', alpnOptional: true }) },
      (connection) => {
        host.take(connection);
      },
    );
    return new ListeningHttp(server, host, options.signal);
  } catch (error) {
    host.close();
    throw error;
  }
}

function serverOf(app: HttpListener | Server, { http }: ServeHttpOptions, reporter: FailureReporter): Server {
  if (app instanceof Server) {
    checkServer(app, http);
    return app;
  }
  return parseHttp(http).on('request', guarded(app, reporter));
}

class ListeningHttp implements HttpServer {
  readonly http: Server;
  readonly #server: SecureServer;
  readonly #host: HttpHost;
  readonly #signal: AbortSignal | undefined;

  constructor(server: SecureServer, host: HttpHost, signal: AbortSignal | undefined) {
    this.http = host.server;
    this.#server = server;
    this.#host = host;
    this.#signal = signal;
    onAbort(signal, this.#aborted);
  }

  get address(): ServerAddress {
    return this.#server.address;
  }

  connections(): Iterable<SecureConnection> {
    return this.#server.connections();
  }

  stats(): ServerStats {
    return this.#server.stats();
  }

  rotate(next: Credentials | Rotation): Promise<void> {
    return this.#server.rotate(next);
  }

  async close(options?: { deadline?: number | undefined }): Promise<void> {
    const wrong = wrongOptions(options, closeOptions);
    if (wrong !== undefined) throw wrong;
    offAbort(this.#signal, this.#aborted);
    const closed = this.#server.close(options);
    this.#host.drain(this.#server.connections(), options?.deadline);
    await closed;
    this.#host.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  readonly #aborted = (): void => void this.close();
}
