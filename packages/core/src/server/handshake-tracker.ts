/**
 * The pending connections: admission, and one deadline from accept to admitted or refused, when sockets leave the tracker. The
 * router takes them to TLS meanwhile.
 */
import type { Socket } from 'node:net';
import { ConnectionTimeoutError, HandshakeError, ServerDrainingError } from '../errors/index.js';
import { noConnection } from '../errors/failure-reporter.js';
import { CLIENT_LEFT } from '../errors/client-left.js';
import { channels } from '../observe/channels.js';
import { showEndpoint } from '../transport/proxy-header.js';
import { unmapped } from '../x509/ip-network.js';
import { Admission, type AdmissionRefusal } from './admission.js';
import { HandshakeDeadlines, valuesOf } from './handshake-deadlines.js';
import { HandshakeRouter } from './handshake-router.js';
import { PendingConnection, type PendingConnections } from './pending-connection.js';
import { SilenceWatch } from './silence-watch.js';
import type { HostConfig } from './config.js';
import { Validations } from './validations.js';
import type { VirtualHosts } from './virtual-hosts.js';
import type { HandshakeFailures } from './handshake-failures.js';

export class HandshakeTracker implements PendingConnections {
  /** Sockets accepted so far. */
  accepted = 0;
  /** Handshakes that failed, ran out of time or were broken off. */
  failed = 0;
  readonly #config: HostConfig;
  readonly #path: string | null;
  readonly #failures: HandshakeFailures;
  readonly #validations: Validations;
  readonly #router: HandshakeRouter;
  readonly #admission: Admission;
  readonly #pending = new Map<Socket, PendingConnection>();
  readonly #silence = new SilenceWatch();
  readonly #deadlines: HandshakeDeadlines;
  /** One listener shared by all sockets: most of them close long after they were admitted. */
  readonly #forget = forgetting(this);
  #closed = false;

  constructor(config: HostConfig, hosts: () => VirtualHosts, failures: HandshakeFailures) {
    this.#config = config;
    this.#path = 'path' in config.place ? config.place.path : null;
    this.#failures = failures;
    this.#validations = new Validations(config, this);
    this.#router = new HandshakeRouter(config, hosts, this, this.#validations);
    this.#admission = new Admission(config.admission);
    this.#deadlines = new HandshakeDeadlines(
      valuesOf(this.#pending),
      config.limits.handshakeTimeout,
      (late) => {
        this.#tooLate(late);
      },
    );
  }

  /** Sockets between accept and admission. */
  get pending(): number {
    return this.#pending.size;
  }

  /** Handshakes that answered an ACME server's validation. */
  get validations(): number {
    return this.#validations.answered;
  }

  get refusedSockets(): Readonly<Record<AdmissionRefusal, number>> {
    return this.#admission.refused;
  }

  /** @param descriptorsLeft whether the process has further descriptors beside this socket's */
  accept(socket: Socket, descriptorsLeft: boolean): void {
    this.accepted += 1;
    // A reset between accept and admission has no other listener; the failed handshake is reported elsewhere.
    socket.on('error', ignore);
    if (socket.remoteAddress === undefined && 'port' in this.#config.place) {
      // Reset before it was accepted: it has no address to check.
      socket.destroy();
      return;
    }
    const behindProxy = this.#config.proxies?.has(socket.remoteAddress ?? '') === true;
    const refusal = this.#judge(socket, behindProxy, descriptorsLeft);
    if (refusal !== null)
      this.#turnAway(socket, refusal, socket.remoteAddress ?? showEndpoint(null, this.#path));
    else this.#begin(socket, behindProxy);
  }

  /** The pending connection of a socket; undefined where it has left. */
  find(socket: Socket): PendingConnection | undefined {
    return this.#pending.get(socket);
  }

  /** Ends a pending connection, once. @returns whether it was still pending */
  leave(pending: PendingConnection, reason: Error | null): boolean {
    if (!this.#pending.delete(pending.socket)) return false;
    pending.settle(reason);
    return true;
  }

  /** A pending connection ended before its peer could be verified. */
  fail(pending: PendingConnection, error: Error): void {
    if (!this.leave(pending, error)) return;
    this.failed += 1;
    this.#failures.publish(pending.address, error);
  }

  /** A handshake was broken off. A peer that sent nothing had begun none: a health check, a port scan. */
  broken(pending: PendingConnection, error: Error): void {
    if (pending.socket.bytesRead > pending.headerBytes) this.fail(pending, error);
    else this.leave(pending, error);
  }

  /** The socket is gone. */
  forget(socket: Socket): void {
    this.#admission.leave();
    // Most were admitted long ago, and an error without a listener costs a stack trace.
    const pending = this.#pending.get(socket);
    if (pending !== undefined) this.left(pending);
  }

  /** The peer ended or reset the connection; its socket may still be half open. */
  left(pending: PendingConnection): void {
    const words = `${pending.address} went away during the handshake`;
    this.broken(pending, new HandshakeError('disconnected', words, { hint: CLIENT_LEFT }));
    pending.socket.destroySoon();
  }

  /** Checks the client address in a PROXY header. */
  admitProxied(pending: PendingConnection): boolean {
    const refusal = this.#admission.admitClient(pending.remote?.address, performance.now());
    if (refusal === null) this.#enterClient(pending);
    else {
      this.leave(pending, new ServerDrainingError('refused before the handshake'));
      this.#turnAway(pending.socket, refusal, pending.address);
    }
    return refusal === null;
  }

  signalFailed(error: unknown): void {
    this.#config.failures.report(error, noConnection, "a listener of a handshake's signal");
  }

  /** Admits no more peers; silent sockets are closed at once. */
  close(): void {
    this.#closed = true;
    this.#silence.stop();
    for (const { hasSpoken, socket } of [...this.#pending.values()]) if (!hasSpoken) socket.destroy();
  }

  /** Stops waiting for handshakes to finish. */
  giveUp(): void {
    for (const { secured, socket } of [...this.#pending.values()]) if (!secured) socket.destroy();
  }

  destroy(): void {
    for (const { socket } of [...this.#pending.values()]) socket.destroy();
  }

  /** What can be checked before any byte is read; null admits. */
  #judge(socket: Socket, behindProxy: boolean, descriptorsLeft: boolean): AdmissionRefusal | null {
    if (this.#closed) return 'closing';
    const refusal = behindProxy ? null : this.#admission.admitClient(socket.remoteAddress, performance.now());
    if (refusal !== null) return refusal;
    if (!descriptorsLeft && !this.#makeRoom('descriptors')) return 'descriptors';
    if (this.#admission.full && !this.#makeRoom('connections')) return 'connections';
    const crowded = this.#pending.size >= this.#config.admission.maxPendingHandshakes;
    return crowded && !this.#makeRoom('handshakes') ? 'handshakes' : null;
  }

  #begin(socket: Socket, behindProxy: boolean): void {
    const pending = new PendingConnection(socket, this, this.#path);
    this.#admission.enter();
    socket.on('close', this.#forget);
    this.#pending.set(socket, pending);
    this.#deadlines.watch();
    // Checked early, so that the silent peers are known when no place is left.
    if (2 * this.#pending.size > this.#config.admission.maxPendingHandshakes)
      this.#silence.look(this.#pending.values());

    if (!behindProxy) this.#enterClient(pending);
    this.#router.route(pending, behindProxy);
  }

  #enterClient(pending: PendingConnection): void {
    if (!this.#admission.countsClients) return;
    const address = pending.remote?.address;
    this.#admission.enterClient(address);
    pending.socket.once('close', () => {
      this.#admission.leaveClient(address);
    });
  }

  /**
   * Silent sockets must not keep others out: the one silent for longest is closed, or else the first that
   * went silent in its handshake.
   */
  #makeRoom(limit: AdmissionRefusal): boolean {
    const pending =
      this.#first(({ hasSpoken }) => !hasSpoken) ?? this.#first(({ hasFallenSilent }) => hasFallenSilent);
    if (pending === undefined) {
      this.#silence.look(this.#pending.values());
      return false;
    }
    this.leave(pending, new ServerDrainingError('too many silent sockets'));
    this.#turnAway(pending.socket, limit, pending.address);
    return true;
  }

  #first(is: (pending: PendingConnection) => boolean): PendingConnection | undefined {
    for (const pending of this.#pending.values()) if (is(pending)) return pending;
    return undefined;
  }

  #turnAway(socket: Socket, limit: AdmissionRefusal, address: string): void {
    this.#admission.refuse(limit);
    socket.destroy();
    if (channels.admission.hasSubscribers) channels.admission.publish({ address: unmapped(address), limit });
  }

  #tooLate(pending: PendingConnection): void {
    const { handshakeTimeout } = this.#config.limits;
    if (pending.verifying) {
      // The handshake is done and the reason can be sent; the code that waits for the verification refuses the peer.
      const words = `verifying ${pending.address} took over ${handshakeTimeout} ms`;
      pending.settle(new ConnectionTimeoutError('verdict', handshakeTimeout, words));
      return;
    }
    const words = `${pending.address} didn't finish its handshake within ${handshakeTimeout} ms`;
    this.fail(pending, new ConnectionTimeoutError('handshake', handshakeTimeout, words));
    pending.socket.destroy();
  }
}

function forgetting(tracker: HandshakeTracker): (this: Socket) => void {
  return function (this: Socket) {
    tracker.forget(this);
  };
}

function ignore(): void {
  // The close event that follows is reported.
}
