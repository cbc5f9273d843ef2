/** A socket from accept until its peer is let in or turned away; one deadline covers all of it. */
import type { Socket } from 'node:net';
import { showEndpoint, type ProxyInfo } from '../transport/proxy-header.js';

export class Arrival {
  readonly socket: Socket;
  readonly since = performance.now();
  /** What a trusted proxy said of the client. */
  proxy: ProxyInfo | null = null;
  /** The name read from its ClientHello; null where it asked for none, or nobody read it. */
  servername: string | null = null;
  /** Bytes that we sent before TLS began. */
  saidBeforeTls = 0;
  /** Whether its handshake is done and the verdict is awaited. */
  judging = false;
  /** How much of the peer had been read when it was last found to say nothing for a while. */
  silentAt: number | null = null;
  #controller: AbortController | null = null;
  readonly #remoteAddress: string | undefined;
  readonly #remotePort: number;
  #timer: NodeJS.Timeout | undefined;

  /** @param expired called when the deadline passes */
  constructor(socket: Socket, deadline: number, expired: (arrival: Arrival) => void) {
    this.socket = socket;
    this.#remoteAddress = socket.remoteAddress;
    this.#remotePort = socket.remotePort ?? 0;
    this.#timer = setTimeout(() => {
      expired(this);
    }, deadline);
  }

  /** Fires when the time is over, or the socket is gone. */
  get signal(): AbortSignal {
    return (this.#controller ??= new AbortController()).signal;
  }

  /** Whether the peer has sent a whole ClientHello: only then does TLS answer anything. */
  get hasSpoken(): boolean {
    return this.socket.bytesWritten > this.saidBeforeTls;
  }

  /** Whether the peer left its handshake in the middle, as far as we know. */
  get hasFallenSilent(): boolean {
    return !this.judging && this.silentAt === this.socket.bytesRead;
  }

  /** The client's address, by the proxy's word where there is one; undefined on a Unix socket. */
  get clientAddress(): string | undefined {
    return this.proxy?.source?.address ?? this.#remoteAddress;
  }

  /** For errors and events. */
  get address(): string {
    const address = this.clientAddress;
    const port = this.proxy?.source?.port ?? this.#remotePort;
    return showEndpoint(address === undefined ? null : { address, port });
  }

  /** The peer is in, or out: the deadline has done its work. */
  settle(reason: Error | null): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    // The socket keeps the arrival until it closes; nobody waits for one that was let in any more.
    if (reason === null) this.#controller = null;
    else (this.#controller ??= new AbortController()).abort(reason);
  }
}
