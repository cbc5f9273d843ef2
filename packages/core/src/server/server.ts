// A listening server: accept, admission, preface, handshake, verification, connection, handler, in that order. One
// connection's failure never touches another or the listener.
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { watchClose } from '../connection/close-watch.js';
import type { Connection } from '../connection/connection.js';
import { endPeer, refusePeer } from '../connection/lingering-close.js';
import type { RequestHandler, SecureConnection } from '../connection/connection-types.js';
import type { Credentials } from '../credentials/credentials.js';
import {
  ConnectionError,
  ConnectionTimeoutError,
  EasySocketError,
  FramingMismatchError,
  PeerNotAllowedError,
} from '../errors/index.js';
import { asError } from '../errors/as-error.js';
import { fromHandshake } from '../errors/from-node.js';
import { channels } from '../observe/channels.js';
import { failedCall, isThenable, noConnection, wrongOptions } from '../options/index.js';
import { closeOptions } from '../policy/limits.js';
import { offerOf } from '../policy/tls-profile.js';
import { showEndpoint } from '../transport/proxy-header.js';
import { TlsStream } from '../transport/tls-stream.js';
import { reverify } from '../trust/reverify.js';
import type { TrustPolicy } from '../trust/trust-policy.js';
import { PeerVerifier } from '../trust/peer-verifier.js';
import { Acceptor } from './acceptor.js';
import type { PendingConnection } from './pending-connection.js';
import type { ListenConfig } from './config.js';
import { HandshakeFailures } from './handshake-failures.js';
import { HandshakeTracker } from './handshake-tracker.js';
import type { Rotation, SecureServer, ServerAddress, ServerStats } from './secure-server.js';
import { ConnectionSetup } from './connection-setup.js';
import { TrustManager, type TrustManagerEvents } from './trust-manager.js';
import { offAbort, onAbort } from '../waiting/on-abort.js';

/** Receives each connection whose peer was admitted; if it throws or rejects, only that connection ends. */
export type ConnectionHandler<In, Out> = (connection: SecureConnection<In, Out>) => void | Promise<void>;

/** What the program does with admitted peers: a handler of connections, or one of requests. */
export interface Handlers<In, Out> {
  readonly connection: ConnectionHandler<In, Out> | null;
  readonly request: RequestHandler<In, Out> | null;
}

export class Server<In, Out> implements SecureServer<In, Out>, TrustManagerEvents {
  readonly #config: ListenConfig<In, Out>;
  readonly #handlers: Handlers<In, Out>;
  readonly #verifier = new PeerVerifier();
  readonly #failures = new HandshakeFailures();
  readonly #trust: TrustManager;
  readonly #setup: ConnectionSetup<In, Out>;
  readonly #handshakes: HandshakeTracker;
  readonly #acceptor: Acceptor;
  readonly #connections = new Set<Connection<In, Out>>();
  #closing: Promise<void> | null = null;
  #closesAt = Number.POSITIVE_INFINITY;
  #admitted = 0;
  #refusedPeers = 0;

  /** @throws InvalidOptionError, CredentialsError */
  constructor(config: ListenConfig<In, Out>, handlers: Handlers<In, Out>) {
    this.#config = config;
    this.#handlers = handlers;
    this.#trust = new TrustManager(config, this);
    this.#setup = new ConnectionSetup(config, handlers.request, this.#verifier);
    this.#handshakes = new HandshakeTracker(config, () => this.#trust.hosts, this.#failures);
    this.#acceptor = new Acceptor(config.place, (socket, descriptorsLeft) => {
      this.#handshakes.accept(socket, descriptorsLeft);
    });
  }

  async listen(): Promise<void> {
    try {
      this.#config.signal?.throwIfAborted();
      await this.#acceptor.listen();
    } catch (error) {
      this.#trust.stop();
      throw error;
    }
    await this.#closeOnAbort();
  }

  get address(): ServerAddress {
    return this.#acceptor.address;
  }

  connections(): Connection<In, Out>[] {
    return [...this.#connections];
  }

  stats(): ServerStats {
    return {
      connections: this.#connections.size,
      pendingHandshakes: this.#handshakes.pending,
      accepted: this.#handshakes.accepted,
      admitted: this.#admitted,
      refusedSockets: this.#handshakes.refusedSockets,
      failedHandshakes: this.#handshakes.failed,
      refusedPeers: this.#refusedPeers,
      validations: this.#handshakes.validations,
      rotations: this.#trust.rotations,
      acceptErrors: this.#acceptor.errors,
    };
  }

  rotate(next: Credentials | Rotation): Promise<void> {
    return this.#trust.rotate(next);
  }

  close(options?: { deadline?: number | undefined }): Promise<void> {
    const wrong = wrongOptions(options, closeOptions);
    const { failures, limits } = this.#config;
    if (wrong !== undefined)
      return failedCall(wrong, (unheard) => {
        failures.report(unheard, noConnection, 'a close that was not awaited');
      });
    return (this.#closing ??= this.#drain(options?.deadline ?? limits.drainTimeout));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  // ── what the contexts report ──

  failed(error: Error, raw: Socket): void {
    const pending = this.#handshakes.find(raw);
    if (pending === undefined) return;
    const { address } = pending;
    const offer = offerOf(this.#config.profile);
    this.#handshakes.broken(pending, fromHandshake(error, 'server', { address, offer }));
  }

  secured(socket: TLSSocket, raw: Socket, wasAsked: boolean): void {
    const pending = this.#handshakes.find(raw);
    if (pending === undefined) {
      socket.destroy();
      return;
    }
    pending.secured = true;
    pending.wasAsked = wasAsked;
    const stream = new TlsStream(socket, null);
    const refuse = (error: unknown): void => {
      this.#refuse(pending, stream, error);
    };
    try {
      const opened = this.#setup.open(pending, this.#policyFor, stream);
      if (opened instanceof Promise) opened.then((late) => this.#admit(pending, late)).catch(refuse);
      else this.#admit(pending, opened)?.catch(refuse);
    } catch (error) {
      refuse(error);
    }
  }

  async replaced(): Promise<void> {
    await this.#reverify(this.#connections);
  }

  #reverify(connections: Iterable<Connection<In, Out>>): Promise<void> {
    const { limits, failures } = this.#config;
    const deadline = limits.handshakeTimeout;
    return reverify(this.#verifier, 'server', connections, this.#policyOf, deadline, failures);
  }

  // ── verification ──

  readonly #policyFor = (servername: string | null): TrustPolicy => this.#trust.policyFor(servername);
  readonly #policyOf = ({ tls }: Connection<In, Out>): TrustPolicy => this.#policyFor(tls.servername);

  #admit(
    pending: PendingConnection,
    { connection, policy }: { connection: Connection<In, Out>; policy: TrustPolicy },
  ): Promise<void> | undefined {
    if (!this.#handshakes.leave(pending, null)) {
      connection.destroy();
      return undefined;
    }
    this.#admitted += 1;
    this.#connections.add(connection);
    connection.whenGone(this.#forget);
    // Credentials may have rotated since the verification; from now on this one is verified with the others.
    if (!this.#trust.isCurrent(policy, connection.tls.servername))
      return this.#reverify([connection]).then(() => {
        if (connection.state !== 'closed') this.#handOut(connection);
      });
    this.#handOut(connection);
    return undefined;
  }

  /** One listener shared by all connections. */
  readonly #forget = (connection: Connection<In, Out>): void => {
    this.#connections.delete(connection);
  };

  #refuse(pending: PendingConnection, stream: TlsStream, error: unknown): void {
    if (error instanceof ConnectionError && !(error instanceof ConnectionTimeoutError)) {
      // The peer left before it was admitted: it wasn't refused.
      this.#handshakes.fail(pending, error);
      stream.destroy();
      return;
    }
    if (!this.#handshakes.leave(pending, null)) {
      stream.destroy();
      return;
    }
    const known =
      error instanceof EasySocketError
        ? error
        : new PeerNotAllowedError('verification failed', { cause: error });
    this.#refusedPeers += 1;
    this.#failures.publish(pending.address, known);
    // An `authorize` function threw: the peer is refused, and the error must be reported.
    if (known instanceof PeerNotAllowedError && known.cause !== undefined)
      this.#config.failures.report(known.cause, noConnection, `the verification of ${pending.address}`);
    if (stream.socket.alpnProtocol === 'knsock/1') refusePeer(stream, known);
    // Its identity wasn't refused, so it may see its handshake finished: audits detect TLS 1.2 that way.
    else if (known instanceof FramingMismatchError) endPeer(stream);
    // Others see the refusal by missing session tickets, which some versions of Node would send with the end of TLS.
    else stream.destroy();
  }

  // ── handler ──

  /**
   * Node sends its session tickets after its own callbacks; an end before them looks like a refusal. Until then
   * the handler counts as running: the peer may have sent everything and ended, which must not end the connection.
   */
  #handOut(connection: Connection<In, Out>): void {
    connection.handleBy(() => this.#run(connection), connection.socket.bytesWritten === 0);
  }

  #run(connection: Connection<In, Out>): void | Promise<void> {
    // Also where its first bytes broke the framing: what came before is the program's, and so is the failure.
    if (this.#closing === null) return this.#handle(connection);
    void connection.retire(Math.max(0, Math.ceil(this.#closesAt - performance.now())));
    return undefined;
  }

  /** The connection ends by a failure of its handler; `onError` receives the reason. */
  #handle(connection: Connection<In, Out>): void | Promise<void> {
    const failed = (error: unknown): never => {
      if (!connection.isOwnEnd(asError(error)))
        this.#config.failures.report(error, { connection, request: null });
      throw error;
    };
    try {
      const handling = this.#handlers.connection?.(connection);
      return isThenable(handling) ? Promise.resolve(handling).catch(failed) : handling;
    } catch (error) {
      return failed(error);
    }
  }

  // ── end ──

  readonly #aborted = (): void => void this.close();

  /** @throws the signal's reason where it fired before there was anything to close */
  async #closeOnAbort(): Promise<void> {
    const { signal } = this.#config;
    onAbort(signal, this.#aborted);
    if (signal?.aborted !== true) return;
    await this.close();
    throw signal.reason as Error;
  }

  async #drain(deadline: number): Promise<void> {
    offAbort(this.#config.signal, this.#aborted);
    this.#closesAt = performance.now() + deadline;
    this.#trust.stop();
    if (channels.drain.hasSubscribers)
      channels.drain.publish({ connections: this.#connections.size, deadline });
    const stopped = this.#acceptor.close();
    this.#handshakes.close();
    const closed = [...this.#connections].map((connection) => connection.retire(deadline));
    const stopWatching = watchClose('server.close()', deadline, () =>
      this.connections().map((connection) => connection.holders(false)),
    );
    // Some may have a later deadline, or were admitted since.
    const overdue = setTimeout(() => {
      this.#cutOff(deadline);
    }, deadline);
    await Promise.all(closed).then(stopWatching);
    this.#handshakes.giveUp();
    await stopped;
    clearTimeout(overdue);
  }

  #cutOff(deadline: number): void {
    this.#handshakes.destroy();
    for (const connection of this.#connections) {
      const peer = showEndpoint(connection.remote, connection.path);
      const words = `the server closed, and work in flight with ${peer} didn't finish within ${deadline} ms`;
      connection.destroy(new ConnectionTimeoutError('drain', deadline, words));
    }
  }
}
