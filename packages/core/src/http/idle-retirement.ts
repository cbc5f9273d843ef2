/**
 * Ends a client's kept connections once other credentials are in force: a server that is no longer trusted is
 * disconnected anyway, and this is for our own certificate. HTTP clients keep idle sockets from holding the process, so
 * `unref` says that a connection is idle, and `ref` that it is used again.
 */
import type { SecureConnection } from '../connection/connection-types.js';
import type { CredentialSource } from '../credentials/source.js';
import type { UseListener } from './http-socket.js';

export class IdleRetirement implements UseListener {
  readonly #connection: SecureConnection;
  #used = true;
  #outdated = false;

  /** @param version of the credentials that the connection was made with */
  constructor(connection: SecureConnection, source: CredentialSource, version: string) {
    this.#connection = connection;
    const forget = source.onChange(() => {
      this.#outdated = source.current.version !== version;
      this.#retire();
    });
    void connection.closed.then(forget);
    this.#outdated = source.current.version !== version;
  }

  inUse(): void {
    this.#used = true;
  }

  idle(): void {
    this.#used = false;
    this.#retire();
  }

  #retire(): void {
    if (this.#outdated && !this.#used) this.#connection.destroy();
  }
}
