/** A socket from accept until its peer is admitted or refused; one deadline covers all of it. */
import type { Socket } from 'node:net';
import { reportingController } from '../errors/reporting-signal.js';
import { unmapped } from '../x509/ip-network.js';
import { showEndpoint, type Endpoint, type ProxyInfo } from '../transport/proxy-header.js';

/** What a pending connection reports. */
interface PendingEvents {
  /** A listener of its signal, which is the program's, failed. */
  signalFailed(error: unknown): void;
  /** The peer left while this side had something to wait for. */
  left(pending: PendingConnection): void;
}

/** Who keeps the pending connections. */
export interface PendingConnections {
  /** The pending connection of a socket; undefined where it has left. */
  find(socket: Socket): PendingConnection | undefined;
  /** Ends a pending connection, once. @returns whether it was still pending */
  leave(pending: PendingConnection, reason: Error | null): boolean;
  /** A pending connection ended before its peer could be verified. */
  fail(pending: PendingConnection, error: Error): void;
  /** A handshake was broken off. A peer that sent nothing had begun none: a health check, a port scan. */
  broken(pending: PendingConnection, error: Error): void;
  /** Checks the client address in a PROXY header. @returns false: it was refused */
  admitProxied(pending: PendingConnection): boolean;
}

export class PendingConnection {
  readonly socket: Socket;
  /** The Unix socket that it was accepted on; null on TCP. */
  readonly path: string | null;
  readonly since = performance.now();
  /** What a trusted proxy reported of the client. */
  proxy: ProxyInfo | null = null;
  /** What chose its virtual host: the name read from its ClientHello, null where it requested none. Null: it wasn't read. */
  routedBy: { readonly servername: string | null } | null = null;
  /** Bytes of the proxy's header, which arrived before the client sent anything. */
  headerBytes = 0;
  /** Bytes that we sent before TLS began. */
  saidBeforeTls = 0;
  /** Whether its handshake is done: the client considers itself connected. */
  secured = false;
  /** Whether its handshake requested a certificate. */
  wasAsked = true;
  /** Whether its verification is running. */
  verifying = false;
  /** How much had been read when the peer was last found silent. */
  silentAt: number | null = null;
  #controller: AbortController | null = null;
  /** Why it was refused. */
  #reason: Error | null = null;
  readonly #events: PendingEvents;
  readonly #neighbour: Endpoint | null;
  #giveUp: ((reason: Error) => void) | null = null;

  /** @param path the Unix socket of the listener; null on TCP */
  constructor(socket: Socket, events: PendingEvents, path: string | null = null) {
    this.socket = socket;
    this.path = path;
    this.#events = events;
    const { remoteAddress: address, remotePort: port = 0 } = socket;
    this.#neighbour = address === undefined ? null : { address: unmapped(address), port };
  }

  /** Fires when the time is over, or the socket is gone. */
  get signal(): AbortSignal {
    if (this.#controller !== null) return this.#controller.signal;
    this.#controller = reportingController((error) => {
      this.#events.signalFailed(error);
    });
    if (this.#reason !== null) this.#controller.abort(this.#reason);
    return this.#controller.signal;
  }

  /** Whether the peer has sent a complete ClientHello: only then does TLS answer. */
  get hasSpoken(): boolean {
    return this.socket.bytesWritten > this.saidBeforeTls;
  }

  /** Whether the peer left in the middle of its handshake, as far as we know. */
  get hasFallenSilent(): boolean {
    return !this.verifying && this.silentAt === this.socket.bytesRead;
  }

  /** The client, as the proxy reported it where there is one; null on a Unix socket. */
  get remote(): Endpoint | null {
    return this.proxy?.source ?? this.#neighbour;
  }

  /** For errors and events. */
  get address(): string {
    return showEndpoint(this.remote, this.path);
  }

  /** Whether it was refused, or its time is over. */
  get isGivenUp(): boolean {
    return this.#reason !== null;
  }

  /** The result of `work`, or why this was refused, whichever comes first; without the signal, which costs more. */
  race<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#giveUp = reject;
      work.then(resolve, reject);
      if (this.#reason !== null) reject(this.#reason);
    });
  }

  /** The peer left, so there is nothing left to wait for. */
  left(): void {
    this.#events.left(this);
  }

  /** The peer is admitted, or refused. */
  settle(reason: Error | null): void {
    // The socket holds this object until it closes; nothing waits for an admitted one any more.
    if (reason === null) {
      this.#controller = null;
      this.#giveUp = null;
      return;
    }
    this.#reason ??= reason;
    this.#giveUp?.(reason);
    this.#controller?.abort(reason);
  }
}
