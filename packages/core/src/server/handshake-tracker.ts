/**
 * From accept to TLS: admission, the header of a trusted proxy, the requested name, and the virtual host that takes over
 * the socket. Sockets leave the tracker when they are admitted or refused.
 */
import type { Socket } from 'node:net';
import { asError } from '../errors/as-error.js';
import { ConnectionTimeoutError, HandshakeError, ServerDrainingError } from '../errors/index.js';
import { noConnection } from '../errors/failure-reporter.js';
import { channels } from '../observe/channels.js';
import { showEndpoint } from '../transport/proxy-header.js';
import { unmapped } from '../transport/network.js';
import { endWithAlert, readPreface, UNRECOGNIZED_NAME } from '../transport/preface.js';
import { Admission, type AdmissionRefusal } from './admission.js';
import { speakBeforeTls } from './before-tls.js';
import { HandshakeDeadlines, valuesOf } from './handshake-deadlines.js';
import { PendingConnection } from './pending-connection.js';
import { SilenceWatch } from './silence-watch.js';
import type { HostConfig } from './config.js';
import type { VirtualHosts } from './virtual-hosts.js';
import type { HandshakeFailures } from './handshake-failures.js';

export class HandshakeTracker {
  /** Sockets accepted so far. */
  accepted = 0;
  /** Handshakes that failed, ran out of time or were broken off. */
  failed = 0;
  readonly #config: HostConfig;
  readonly #path: string | null;
  readonly #hosts: () => VirtualHosts;
  readonly #failures: HandshakeFailures;
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
    this.#hosts = hosts;
    this.#failures = failures;
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

  get turnedAway(): Readonly<Record<AdmissionRefusal, number>> {
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
    this.broken(pending, new HandshakeError('disconnected', words));
    pending.socket.destroySoon();
  }

  signalFailed(error: unknown): void {
    this.#config.failures.report(error, noConnection, 'a listener of a handshake’s signal');
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
    this.#route(pending, behindProxy);
  }

  /** Checks the client address in a PROXY header. */
  #admitProxied(pending: PendingConnection): boolean {
    const refusal = this.#admission.admitClient(pending.remote?.address, performance.now());
    if (refusal === null) this.#enterClient(pending);
    else {
      this.leave(pending, new ServerDrainingError('turned away'));
      this.#turnAway(pending.socket, refusal, pending.address);
    }
    return refusal === null;
  }

  #enterClient(pending: PendingConnection): void {
    if (!this.#admission.countsClients) return;
    const address = pending.remote?.address;
    this.#admission.enterClient(address);
    pending.socket.once('close', () => {
      this.#admission.leaveClient(address);
    });
  }

  #route(pending: PendingConnection, proxy: boolean): void {
    if (this.#config.beforeTls === null) this.#beginTls(pending, proxy);
    else if (proxy) this.#readPreface(pending, { proxy, name: false }, () => void this.#speakFirst(pending));
    else void this.#speakFirst(pending);
  }

  /** Runs the hook of the protocol above before TLS. */
  async #speakFirst(pending: PendingConnection): Promise<void> {
    const { socket } = pending;
    try {
      await speakBeforeTls(this.#config.beforeTls, pending);
    } catch (error) {
      this.fail(pending, asError(error));
      socket.destroySoon();
      return;
    }
    pending.saidBeforeTls = socket.bytesWritten;
    if (this.find(socket) === pending) this.#beginTls(pending, false);
  }

  #beginTls(pending: PendingConnection, proxy: boolean): void {
    const name = this.#hosts().needsName;
    if (!proxy && !name) {
      this.#hosts().fallback.take(pending.socket);
      return;
    }
    this.#readPreface(pending, { proxy, name }, (servername) => {
      if (name) this.#enterHost(pending, servername);
      else this.#hosts().fallback.take(pending.socket);
    });
  }

  #readPreface(
    pending: PendingConnection,
    wanted: { proxy: boolean; name: boolean },
    done: (servername: string | null) => void,
  ): void {
    readPreface(pending.socket, wanted, {
      proxied: (info, length) => {
        pending.proxy = info;
        pending.headerBytes = length;
        return this.#admitProxied(pending);
      },
      done: ({ servername }) => {
        done(servername);
      },
      failed: (error, alert) => {
        this.broken(pending, error);
        if (alert === null) pending.socket.destroy();
        else endWithAlert(pending.socket, alert);
      },
    });
  }

  #enterHost(pending: PendingConnection, servername: string | null): void {
    const route = this.#hosts().route(servername);
    if (route !== 'refuse') {
      pending.routedBy = { servername };
      route.take(pending.socket);
      return;
    }
    const words = `${pending.address} asked for ${JSON.stringify(servername)}, which is none of ours`;
    this.fail(pending, new HandshakeError('unknown-name', words));
    endWithAlert(pending.socket, UNRECOGNIZED_NAME);
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
    const words = `${pending.address} didn’t finish its handshake within ${handshakeTimeout} ms`;
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
