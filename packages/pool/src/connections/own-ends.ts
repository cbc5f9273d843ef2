import { EasySocketError, type SecureConnection } from '@knsock/core';

type Ended = Pick<SecureConnection, 'state' | 'signal' | 'socket'>;

/** Which connections were ended on this side, by the pool or by a borrower: their ends say nothing of the endpoint. */
export class OwnEnds {
  readonly #ended = new WeakSet<Ended>();
  readonly #hasFrames: boolean;

  /** @param hasFrames whether the framing has a frame for the end, and else only the end of the stream */
  constructor(hasFrames: boolean) {
    this.#hasFrames = hasFrames;
  }

  /** Notes the end that a stream or a relay announces. */
  watch(connection: Ended): void {
    connection.socket.once('finish', () => {
      // Where the peer ended first, the signal has fired.
      if (!connection.signal.aborted) this.#ended.add(connection);
    });
  }

  /** A connection is about to be ended here, if it isn't ending already. */
  add(connection: Ended): void {
    if (connection.state === 'open') this.#ended.add(connection);
  }

  /** @param error the one that `closed` reports */
  has(connection: Ended, error: Error | undefined): boolean {
    return this.#ended.has(connection) || (!this.#hasFrames && isBrokenOff(connection, error));
  }
}

/** By destroying the connection, its stream or its socket, or by what it was relayed with. */
function isBrokenOff({ socket }: Ended, error: Error | undefined): boolean {
  if (error === undefined) return !socket.readableEnded;
  if (!(error instanceof EasySocketError)) return true;
  return error.code === 'KNSOCK_CONNECTION_CLOSED' || error.code === 'KNSOCK_RELAY_FAILED';
}
