/**
 * A listening server: accept, admission, handshake, verdict, connection, handler, in that order. One connection's
 * failure never touches another or the listener.
 */
import { createServer, type AddressInfo, type Server as NetServer, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { Connection } from '../connection/connection.js';
import { refusePeer } from '../connection/refuse.js';
import type { RequestHandler, SecureConnection } from '../connection/secure-connection.js';
import {
  ConnectionTimeoutError,
  EasySocketError,
  FramingMismatchError,
  ServerDrainingError,
} from '../errors/index.js';
import { fromHandshake, fromListen } from '../errors/from-node.js';
import type { Framing } from '../framing/framing.js';
import { TlsStream } from '../transport/tls-stream.js';
import { tlsFacts } from '../transport/tls-facts.js';
import { presentedBy } from '../trust/presented.js';
import type { TrustPolicy } from '../trust/trust-policy.js';
import { Judge } from '../trust/verdict.js';
import { Arrival } from './arrival.js';
import { clientTrust, type ListenConfig } from './config.js';
import type { SecureServer, ServerAddress, ServerStats } from './secure-server.js';
import { TlsDomain } from './tls-domain.js';

export type ConnectionHandler<In, Out> = (connection: SecureConnection<In, Out>) => void | Promise<void>;

/** What the program does with those let in: a handler of connections, or one of requests. */
export interface Handlers<In, Out> {
  readonly connection: ConnectionHandler<In, Out> | null;
  readonly request: RequestHandler<In, Out> | null;
}

export class Server<In, Out> implements SecureServer<In, Out> {
  readonly #config: ListenConfig<In, Out>;
  readonly #handlers: Handlers<In, Out>;
  readonly #listener: NetServer;
  readonly #domain: TlsDomain;
  readonly #judge = new Judge();
  readonly #arrivals = new Map<Socket, Arrival>();
  readonly #connections = new Set<Connection<In, Out>>();
  #trust: TrustPolicy;
  #closing: Promise<void> | null = null;
  #accepted = 0;
  #refused = 0;

  constructor(config: ListenConfig<In, Out>, handlers: Handlers<In, Out>) {
    this.#config = config;
    this.#handlers = handlers;
    this.#trust = clientTrust(config, config.source.current);
    const protocols = config.framings.flatMap(({ alpn }) => (alpn === undefined ? [] : [alpn]));
    this.#domain = new TlsDomain(config, config.source.current, protocols, {
      secured: (socket, raw) => {
        this.#secured(socket, raw);
      },
      failed: (error, raw) => {
        this.#handshakeFailed(error, raw);
      },
    });
    this.#listener = createServer({ allowHalfOpen: true, noDelay: true, keepAlive: true }, (socket) => {
      this.#accept(socket);
    });
  }

  /** @throws PortInUseError, ConnectionError */
  async listen(): Promise<void> {
    const { place } = this.#config;
    await new Promise<void>((resolve, reject) => {
      this.#listener.once('error', (error) => {
        reject(fromListen(error, place));
      });
      this.#listener.listen(place, resolve);
    });
    this.#listener.removeAllListeners('error');
    this.#listener.on('error', () => undefined);
    this.#config.signal?.addEventListener('abort', () => void this.close(), { once: true });
  }

  get address(): ServerAddress {
    const address = this.#listener.address() as AddressInfo | string | null;
    if (typeof address === 'object' && address !== null) return address;
    return { path: address ?? ('path' in this.#config.place ? this.#config.place.path : '') };
  }

  connections(): Iterable<SecureConnection<In, Out>> {
    return this.#connections.values();
  }

  stats(): ServerStats {
    return {
      connections: this.#connections.size,
      pendingHandshakes: this.#arrivals.size,
      accepted: this.#accepted,
      refused: this.#refused,
    };
  }

  close({ deadline }: { deadline?: number | undefined } = {}): Promise<void> {
    this.#closing ??= this.#drain(deadline ?? this.#config.limits.drainTimeout);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  // ── accept ──

  #accept(socket: Socket): void {
    this.#accepted += 1;
    socket.on('error', () => undefined);
    if (!this.#hasRoom()) {
      this.#refused += 1;
      socket.destroy();
      return;
    }
    const { handshakeTimeout } = this.#config.limits;
    const arrival = new Arrival(socket, handshakeTimeout, (late) => {
      this.#tooLate(late);
    });
    this.#arrivals.set(socket, arrival);
    socket.once('close', () => {
      this.#leave(arrival, new ConnectionTimeoutError('handshake', handshakeTimeout, 'the peer went away'));
    });
    this.#domain.take(socket);
  }

  #hasRoom(): boolean {
    const { maxConnections, maxPendingHandshakes } = this.#config;
    if (this.#closing !== null || this.#connections.size + this.#arrivals.size >= maxConnections)
      return false;
    if (this.#arrivals.size < maxPendingHandshakes) return true;
    return this.#endOldestSilent();
  }

  /** Sockets that say nothing must not keep out those that do: over the cap the one silent for longest goes. */
  #endOldestSilent(): boolean {
    for (const arrival of this.#arrivals.values()) {
      if (arrival.hasSpoken) continue;
      this.#refused += 1;
      arrival.socket.destroy();
      this.#leave(arrival, new ServerDrainingError('too many silent connections'));
      return true;
    }
    return false;
  }

  #tooLate(arrival: Arrival): void {
    const { handshakeTimeout } = this.#config.limits;
    const message = `${arrival.address} didn’t finish its handshake within ${handshakeTimeout} ms`;
    this.#refused += 1;
    this.#leave(arrival, new ConnectionTimeoutError('handshake', handshakeTimeout, message));
    arrival.socket.destroy();
  }

  #leave(arrival: Arrival, reason: Error): void {
    if (!this.#arrivals.delete(arrival.socket)) return;
    arrival.abort(reason);
  }

  #handshakeFailed(error: Error, raw: Socket): void {
    const arrival = this.#arrivals.get(raw);
    if (arrival === undefined) return;
    this.#refused += 1;
    this.#leave(arrival, fromHandshake(error, 'server', arrival));
  }

  // ── verdict ──

  #secured(socket: TLSSocket, raw: Socket): void {
    const arrival = this.#arrivals.get(raw);
    if (arrival === undefined) {
      socket.destroy();
      return;
    }
    const stream = new TlsStream(socket, null);
    this.#admit(arrival, stream).catch((error: unknown) => {
      this.#refuse(
        arrival,
        stream,
        error instanceof EasySocketError ? error : new FramingMismatchError(String(error)),
      );
    });
  }

  async #admit(arrival: Arrival, stream: TlsStream): Promise<void> {
    const framing = this.#framingOf(stream.socket);
    const verdict = await this.#judge.judge(this.#trust, presentedBy(stream.socket, null), arrival.signal);
    if (!this.#arrivals.has(arrival.socket)) {
      stream.destroy();
      return;
    }
    if (!verdict.ok) {
      this.#refuse(arrival, stream, verdict.error);
      return;
    }
    const connection = new Connection<In, Out>(stream, {
      role: 'server',
      framing,
      limits: this.#config.limits,
      maxLifetime: jittered(this.#config.maxLifetime),
      peer: verdict.peer,
      tls: tlsFacts(stream.socket),
      socket: stream.socket,
      requestHandler: this.#handlers.request,
      explainEnd: null,
    });
    connection.start();
    await connection.whenOpen.catch(() => undefined);
    this.#leave(arrival, new ServerDrainingError('let in'));
    this.#handle(connection);
  }

  #framingOf({ alpnProtocol }: TLSSocket): Framing<In, Out> {
    const { framings } = this.#config;
    const framing =
      framings.find(({ alpn }) => (alpn ?? null) === (alpnProtocol || null)) ??
      framings.find(({ alpn }) => alpn === undefined);
    if (framing !== undefined) return framing;
    const spoken = framings.map(({ name }) => name).join(', ');
    throw new FramingMismatchError(`the client asked for no protocol by ALPN; spoken here: ${spoken}`);
  }

  #refuse(arrival: Arrival, stream: TlsStream, error: EasySocketError): void {
    this.#refused += 1;
    this.#leave(arrival, error);
    refusePeer(stream, error, stream.socket.alpnProtocol === 'knsock/1');
  }

  // ── handler ──

  #handle(connection: Connection<In, Out>): void {
    if (connection.state === 'closed') return;
    this.#connections.add(connection);
    void connection.closed.then(() => this.#connections.delete(connection));
    if (this.#closing !== null) {
      void connection.close();
      return;
    }
    if (this.#handlers.connection === null) return;
    try {
      const handling = this.#handlers.connection(connection);
      if (handling !== undefined) connection.attend(handling);
    } catch (error) {
      connection.fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  // ── end ──

  async #drain(deadline: number): Promise<void> {
    const stopped = new Promise<void>((resolve) =>
      this.#listener.close(() => {
        resolve();
      }),
    );
    for (const arrival of [...this.#arrivals.values()]) {
      if (!arrival.hasSpoken) arrival.socket.destroy();
    }
    await Promise.all([...this.#connections].map((connection) => connection.close({ deadline })));
    for (const arrival of [...this.#arrivals.values()]) arrival.socket.destroy();
    await stopped;
  }
}

/** Give or take a tenth, so that clients that came together don't come back together. */
function jittered(lifetime: number | null): number | null {
  return lifetime === null ? null : Math.round(lifetime * (0.9 + Math.random() * 0.2));
}
