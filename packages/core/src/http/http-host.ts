/**
 * Hands connections to Node's HTTP server. No HTTP of our own: Node parses, and its server may belong to the program.
 * What Node emits for a request passes by here first, where identity headers are removed and requests counted.
 */
import { IncomingMessage, ServerResponse, type Server } from 'node:http';
import type { SecureConnection } from '../connection/connection-types.js';
import type { FailureReporter } from '../errors/failure-reporter.js';
import { runListeners, type Emit } from './guarded-listeners.js';
import { httpSocket } from './http-socket.js';
import { removeIdentityHeaders } from './identity-headers.js';
import { RequestWatch, type Patience } from './request-watch.js';

/** A client that hasn't asked for so long has hardly a request on its way: what an idle connection may delay a close. */
const SOON_MS = 500;
/** The fraction of the time for an end after which idle connections end in any case: before the deadline resets them. */
const IDLE_SHARE = 1 / 2;

export class HttpHost {
  readonly server: Server;
  readonly #drainTimeout: number;
  readonly #failures: FailureReporter;
  readonly #watches = new WeakMap<object, RequestWatch>();
  #closing: Patience | null = null;
  #closed = false;

  /** @param drainTimeout milliseconds that a connection has for its end */
  constructor(server: Server, drainTimeout: number, failures: FailureReporter) {
    this.server = server;
    this.#drainTimeout = drainTimeout;
    this.#failures = failures;
    this.#passBy(server);
    const hosts = (hostsOf.get(server) ?? 0) + 1;
    hostsOf.set(server, hosts);
    // Node starts its deadlines for headers and requests when a server begins to listen, which this one never does.
    if (hosts === 1 && !server.listening) server.emit('listening');
  }

  take(connection: SecureConnection): void {
    const socket = httpSocket({ connection, authorized: connection.peer !== null, use: null });
    const watch = new RequestWatch(socket);
    this.#watches.set(socket, watch);
    this.#watches.set(connection, watch);
    this.server.emit('connection', socket);
    connection.onDraining(() => {
      watch.drain(this.#closing ?? this.#lifetimeOver());
    });
  }

  /** All connections are to end. @param deadline milliseconds */
  drain(connections: Iterable<SecureConnection>, deadline = this.#drainTimeout): void {
    const afterLast = Math.min(SOON_MS, this.#keptIdle());
    this.#closing = { afterLast, most: deadline * IDLE_SHARE };
    for (const connection of connections) this.#watches.get(connection)?.drain(this.#closing);
  }

  /** As nginx's keepalive_time: an idle connection isn't ended before its time. */
  #lifetimeOver(): Patience {
    return { afterLast: this.#keptIdle(), most: this.#drainTimeout * IDLE_SHARE };
  }

  #keptIdle(): number {
    return this.server.keepAliveTimeout || Number.POSITIVE_INFINITY;
  }

  /** The last host ends the deadlines' timer. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const hosts = (hostsOf.get(this.server) ?? 1) - 1;
    hostsOf.set(this.server, hosts);
    // Node tells this callback alone that the server wasn't listening.
    if (hosts === 0 && !this.server.listening) this.server.close(() => undefined);
  }

  #passBy(server: Server): void {
    const emit = server.emit.bind(server) as Emit;
    server.emit = (event: string | symbol, ...args: unknown[]) => {
      const [request, second] = args;
      if (!(request instanceof IncomingMessage) || !this.#arrived(request, second))
        return emit(event, ...args) || (event === 'clientError' && this.#failed(request, second));
      return runListeners({ server, emit, event, args, request, failures: this.#failures });
    };
  }

  /** Node writes its answer and destroys the socket, which for ours would be before the answer is sent. */
  #failed(error: unknown, socket: unknown): boolean {
    const watch = this.#watches.get(socket as object);
    watch?.failed(error as NodeJS.ErrnoException);
    return watch !== undefined;
  }

  /**
   * @param second the response, or the socket that an upgrade takes away from HTTP
   * @returns whether it came on a connection of ours: a server of the program's may listen elsewhere as well
   */
  #arrived(request: IncomingMessage, second: unknown): boolean {
    const watch = this.#watches.get(request.socket);
    if (watch === undefined) return false;
    removeIdentityHeaders(request);
    if (second instanceof ServerResponse) watch.began(second as ServerResponse);
    else watch.taken();
    return true;
  }
}

/** A program's server may be served on several ports. */
const hostsOf = new WeakMap<Server, number>();
