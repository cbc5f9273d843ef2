/** A socket from accept until its peer is let in or turned away; one deadline covers all of it. */
import type { Socket } from 'node:net';

export class Arrival {
  readonly socket: Socket;
  readonly since = performance.now();
  /** Fires when the time is over, or the socket is gone. */
  readonly signal: AbortSignal;
  readonly #controller = new AbortController();
  #timer: NodeJS.Timeout | undefined;

  /** @param expired called when the deadline passes */
  constructor(socket: Socket, deadline: number, expired: (arrival: Arrival) => void) {
    this.socket = socket;
    this.signal = this.#controller.signal;
    this.#timer = setTimeout(() => {
      expired(this);
    }, deadline);
  }

  /** Whether the peer has sent a whole ClientHello: only then does TLS answer anything. */
  get hasSpoken(): boolean {
    return this.socket.bytesWritten > 0;
  }

  get address(): string {
    const { remoteAddress, remotePort } = this.socket;
    return remoteAddress === undefined ? 'a local peer' : `${remoteAddress}:${remotePort ?? 0}`;
  }

  /** The peer is in, or out: the deadline has done its work. */
  settle(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  abort(reason: Error): void {
    this.settle();
    this.#controller.abort(reason);
  }
}
