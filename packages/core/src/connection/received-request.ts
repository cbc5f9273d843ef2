/** A request of the peer; its signal is made only when somebody asks for it. */
import type { PeerIdentity } from '../transport/peer-identity.js';
import type { IncomingRequest, SecureConnection } from './secure-connection.js';

export class ReceivedRequest<In, Out> implements IncomingRequest<In, Out> {
  readonly id: number;
  readonly payload: In;
  readonly connection: SecureConnection<In, Out>;
  #controller: AbortController | null = null;
  #cancelled: Error | null = null;

  constructor(id: number, payload: In, connection: SecureConnection<In, Out>) {
    this.id = id;
    this.payload = payload;
    this.connection = connection;
  }

  get peer(): PeerIdentity | null {
    return this.connection.peer;
  }

  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#cancelled !== null) this.#controller.abort(this.#cancelled);
    }
    return this.#controller.signal;
  }

  get cancelled(): boolean {
    return this.#cancelled !== null;
  }

  cancel(reason: Error): void {
    this.#cancelled ??= reason;
    this.#controller?.abort(reason);
  }
}
