/**
 * A listening server: accept, admission, preface, handshake, verdict, connection, handler, in that order. One
 * connection's failure never touches another or the listener.
 */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Connection } from '../connection/connection.js';
import { refusePeer } from '../connection/refuse.js';
import type { RequestHandler, SecureConnection } from '../connection/secure-connection.js';
import type { Credentials } from '../credentials/credentials.js';
import {
  ConnectionTimeoutError,
  EasySocketError,
  HandshakeError,
  PeerNotAllowedError,
  ServerDrainingError,
} from '../errors/index.js';
import { fromHandshake } from '../errors/from-node.js';
import { channels } from '../observe/channels.js';
import { readPreface, refuseName } from '../transport/preface.js';
import { TlsStream } from '../transport/tls-stream.js';
import { Acceptor } from './acceptor.js';
import { Admission, type AdmissionRefusal } from './admission.js';
import { Arrival } from './arrival.js';
import type { ListenConfig } from './config.js';
import type { Domain, DomainEvents } from './domain.js';
import { FailureLog } from './failure-log.js';
import type { Rotation, SecureServer, ServerAddress, ServerStats } from './secure-server.js';
import { Session } from './session.js';
import { TrustKeeper } from './trust-keeper.js';

export type ConnectionHandler<In, Out> = (connection: SecureConnection<In, Out>) => void | Promise<void>;

/** What the program does with those let in: a handler of connections, or one of requests. */
export interface Handlers<In, Out> {
  readonly connection: ConnectionHandler<In, Out> | null;
  readonly request: RequestHandler<In, Out> | null;
}

export class Server<In, Out> implements SecureServer<In, Out>, DomainEvents {
  readonly #config: ListenConfig<In, Out>;
  readonly #handlers: Handlers<In, Out>;
  readonly #acceptor: Acceptor;
  readonly #admission: Admission;
  readonly #trust: TrustKeeper;
  readonly #session: Session<In, Out>;
  readonly #failures = new FailureLog();
  readonly #arrivals = new Map<Socket, Arrival>();
  readonly #connections = new Map<Connection<In, Out>, Domain>();
  #closing: Promise<void> | null = null;
  readonly #counts = { accepted: 0, admitted: 0, failedHandshakes: 0, refusedPeers: 0 };

  /** @throws InvalidOptionError, CredentialsError */
  constructor(config: ListenConfig<In, Out>, handlers: Handlers<In, Out>) {
    this.#config = config;
    this.#handlers = handlers;
    this.#trust = new TrustKeeper(config, this, () => this.#connections);
    this.#session = new Session(config, handlers.request, this.#trust.judge);
    this.#admission = new Admission(config.admission);
    this.#acceptor = new Acceptor(config.place, (socket) => {
      this.#accept(socket);
    });
  }

  async listen(): Promise<void> {
    this.#config.signal?.throwIfAborted();
    try {
      await this.#acceptor.listen();
    } catch (error) {
      this.#trust.close();
      throw error;
    }
    this.#config.signal?.addEventListener('abort', () => void this.close(), { once: true });
  }

  get address(): ServerAddress {
    return this.#acceptor.address;
  }

  connections(): Iterable<SecureConnection<In, Out>> {
    return [...this.#connections.keys()];
  }

  stats(): ServerStats {
    return {
      connections: this.#connections.size,
      pendingHandshakes: this.#arrivals.size,
      turnedAway: this.#admission.refused,
      acceptErrors: this.#acceptor.errors,
      rotations: this.#trust.rotations,
      ...this.#counts,
    };
  }

  close({ deadline }: { deadline?: number | undefined } = {}): Promise<void> {
    this.#closing ??= this.#drain(deadline ?? this.#config.limits.drainTimeout);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async rotate(next: Credentials | Rotation): Promise<void> {
    await this.#trust.rotate(next);
  }

  // ── accept ──

  #accept(socket: Socket): void {
    this.#counts.accepted += 1;
    // Resets between accept and verdict have nobody else to tell; the handshake's failure is told elsewhere.
    socket.on('error', () => undefined);
    const refusal = this.#closing === null ? this.#admission.judgeArrival(performance.now()) : 'closing';
    if (refusal !== null) {
      this.#turnAway(socket, refusal, socket.remoteAddress ?? 'a local peer');
      return;
    }
    const arrival = new Arrival(socket, this.#config.limits.handshakeTimeout, (late) => {
      this.#tooLate(late);
    });
    this.#admission.enter();
    socket.once('close', () => {
      this.#admission.leave();
      this.#leave(arrival, new HandshakeError('disconnected', `${arrival.address} went away`));
    });
    const behindProxy = this.#config.proxies?.has(socket.remoteAddress ?? '') === true;
    this.#arrivals.set(socket, arrival);
    if (!behindProxy && !this.#admitClient(arrival)) return;
    this.#route(arrival, behindProxy);
  }

  /** Judges the true client, and makes room for its handshake. */
  #admitClient(arrival: Arrival): boolean {
    const address = arrival.clientAddress;
    const refusal = this.#admission.judgeClient(address) ?? this.#makeRoom();
    if (refusal !== null) {
      this.#leave(arrival, new ServerDrainingError('turned away'));
      this.#turnAway(arrival.socket, refusal, arrival.address);
      return false;
    }
    this.#admission.enterClient(address);
    arrival.socket.once('close', () => {
      this.#admission.leaveClient(address);
    });
    return true;
  }

  #route(arrival: Arrival, proxy: boolean): void {
    const name = this.#trust.domains.needsName;
    if (!proxy && !name) {
      this.#trust.domains.fallback.take(arrival.socket);
      return;
    }
    readPreface(
      arrival.socket,
      { proxy, name },
      {
        proxied: (info) => {
          arrival.proxy = info;
          return this.#admitClient(arrival);
        },
        done: ({ servername }) => {
          this.#enterDomain(arrival, servername);
        },
        failed: (error) => {
          this.#fail(arrival, error);
          arrival.socket.destroy();
        },
      },
    );
  }

  #enterDomain(arrival: Arrival, servername: string | null): void {
    const route = this.#trust.domains.route(servername);
    if (route !== 'refuse') {
      route.take(arrival.socket);
      return;
    }
    this.#fail(
      arrival,
      new HandshakeError(
        'unknown-name',
        `${arrival.address} asked for '${String(servername)}', which is none of ours`,
      ),
    );
    refuseName(arrival.socket);
  }

  /** Sockets that say nothing must not keep out those that do: over the cap the one silent for longest goes. */
  #makeRoom(): AdmissionRefusal | null {
    if (this.#arrivals.size <= this.#config.admission.maxPendingHandshakes) return null;
    for (const arrival of this.#arrivals.values()) {
      if (arrival.hasSpoken) continue;
      this.#leave(arrival, new ServerDrainingError('too many silent sockets'));
      this.#turnAway(arrival.socket, 'handshakes', arrival.address);
      return null;
    }
    return 'handshakes';
  }

  #turnAway(socket: Socket, limit: AdmissionRefusal, address: string): void {
    this.#admission.refuse(limit);
    socket.destroy();
    if (channels.admission.hasSubscribers) channels.admission.publish({ address, limit });
  }

  #tooLate(arrival: Arrival): void {
    const { handshakeTimeout } = this.#config.limits;
    const message = `${arrival.address} didn’t finish its handshake within ${handshakeTimeout} ms`;
    this.#fail(arrival, new ConnectionTimeoutError('handshake', handshakeTimeout, message));
    arrival.socket.destroy();
  }

  #leave(arrival: Arrival, reason: Error | null): boolean {
    if (!this.#arrivals.delete(arrival.socket)) return false;
    arrival.settle(reason);
    return true;
  }

  #fail(arrival: Arrival, error: Error): void {
    if (!this.#leave(arrival, error)) return;
    this.#counts.failedHandshakes += 1;
    this.#failures.tell(arrival.address, error);
  }

  // ── handshake and verdict ──

  failed(error: Error, raw: Socket): void {
    const arrival = this.#arrivals.get(raw);
    if (arrival !== undefined) this.#fail(arrival, fromHandshake(error, 'server', arrival));
  }

  secured(domain: Domain, socket: TLSSocket, raw: Socket): void {
    const arrival = this.#arrivals.get(raw);
    if (arrival === undefined) {
      socket.destroy();
      return;
    }
    const stream = new TlsStream(socket, null);
    this.#admit(arrival, domain, stream).catch((error: unknown) => {
      this.#refuse(arrival, stream, error);
    });
  }

  async #admit(arrival: Arrival, domain: Domain, stream: TlsStream): Promise<void> {
    const connection = await this.#session.open(arrival, domain, stream);
    // A rotation may have come between the verdict and now: whoever is listed is judged with the rest.
    if (!this.#leave(arrival, null)) {
      connection.destroy();
      return;
    }
    this.#counts.admitted += 1;
    this.#connections.set(connection, domain);
    void connection.closed.then(() => this.#connections.delete(connection));
    await this.#trust.judgeIfReplaced(connection, domain);
    this.#handle(connection);
  }

  #refuse(arrival: Arrival, stream: TlsStream, error: unknown): void {
    if (!this.#leave(arrival, null)) {
      stream.destroy();
      return;
    }
    const known =
      error instanceof EasySocketError
        ? error
        : new PeerNotAllowedError('the verdict failed', { cause: error });
    this.#counts.refusedPeers += 1;
    this.#failures.tell(arrival.address, known);
    refusePeer(stream, known, stream.socket.alpnProtocol === 'knsock/1');
  }

  // ── handler ──

  #handle(connection: Connection<In, Out>): void {
    if (connection.state === 'closed') return;
    if (this.#closing !== null) {
      void connection.close();
      return;
    }
    if (this.#handlers.connection === null) return;
    connection.handleBy(this.#handlers.connection);
  }

  // ── end ──

  async #drain(deadline: number): Promise<void> {
    this.#trust.close();
    if (channels.drain.hasSubscribers)
      channels.drain.publish({ connections: this.#connections.size, deadline });
    const stopped = this.#acceptor.close();
    for (const arrival of [...this.#arrivals.values()]) if (!arrival.hasSpoken) arrival.socket.destroy();
    await Promise.all([...this.#connections.keys()].map((connection) => connection.close({ deadline })));
    for (const arrival of [...this.#arrivals.values()]) arrival.socket.destroy();
    await stopped;
  }
}
