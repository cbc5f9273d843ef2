/** What the two ends of a relay share: how each sees the other, and how it ends. */
import { ConnectionClosedError, EasySocketError } from '../errors/index.js';
import { Deferred } from './deferred.js';

/** One of the two ends, as the other sees it. */
export interface RelayEnd {
  /** Sends a chunk; false means to wait until `readOn` is called on the end that received it. */
  send(chunk: Buffer): boolean;
  /** Nothing more will be sent. */
  finish(): void;
  /** There is room again: reading may continue. */
  readOn(): void;
  /** The other end was cut off. */
  cut(why: Error): void;
}

/** Resolves once both ends are done, and rejects where one was cut off. */
export class Outcome extends Deferred<void> {
  #going = 2;

  oneDone(): void {
    this.#going -= 1;
    if (this.#going === 0) this.resolve();
  }
}

/** One end was gone before both directions had ended. */
export function cutShort(): Error {
  return new ConnectionClosedError('unknown', 'the connection ended before what it carried');
}

/** No end of the connection's own: the program must learn of it, also where its handler only returns the relay. */
export function otherFailed(cause: Error): Error {
  const message = `the other end of a relay failed: ${cause.message}`;
  return new EasySocketError('KNSOCK_RELAY_FAILED', message, { cause });
}
