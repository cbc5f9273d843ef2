/**
 * Verifies a server again once trust has changed: a new CA or list applies to it too, and may end the connection. Changes count
 * from before the first verification: the server decides how long the rest of the handshake takes.
 */
import type { Connection } from '../connection/connection.js';
import { followChanges } from '../credentials/source.js';
import { reverify } from '../trust/reverify.js';
import type { PeerVerifier } from '../trust/peer-verifier.js';
import type { ReachConfig } from './config.js';

export class LiveTrust<In, Out> {
  readonly #reach: ReachConfig;
  readonly #verifier: PeerVerifier;
  /** Ends following the credentials and the revocation source. */
  readonly stop: () => void;
  /** Named in reports of failures. */
  readonly #context: { connection: Connection<In, Out> | null; readonly request: null } = {
    connection: null,
    request: null,
  };
  #changes = 0;
  #refusal: Error | null = null;

  /** Follows the sources from now on. */
  constructor(reach: ReachConfig, verifier: PeerVerifier) {
    this.#reach = reach;
    this.#verifier = verifier;
    const { source, trust, failures } = reach;
    const sources = trust.revocation === null ? [source] : [source, trust.revocation];
    this.stop = followChanges(sources, this.#changed, failures, this.#context);
  }

  /**
   * Verifies an opened connection again where trust has changed since the first verification; follows the sources until it is gone.
   * @throws why the server isn't trusted any more; the connection ends with that
   */
  async follow(connection: Connection<In, Out>): Promise<void> {
    this.#context.connection = connection;
    void connection.closed.then(this.stop);
    const { source, trust } = this.#reach;
    let seen = source.current === trust.credentials ? 0 : -1;
    while (seen !== this.#changes && this.#refusal === null) {
      seen = this.#changes;
      await this.#verify(connection);
    }
    if (this.#refusal !== null) throw this.#refusal;
  }

  readonly #changed = (): void => {
    this.#changes += 1;
    const { connection } = this.#context;
    if (connection !== null) void this.#verify(connection);
  };

  async #verify(connection: Connection<In, Out>): Promise<void> {
    const { source, limits, failures } = this.#reach;
    const live = {
      peer: connection.peer,
      remote: connection.remote,
      path: connection.path,
      fail: (error: Error): void => {
        this.#refusal ??= error;
        connection.fail(error);
      },
      destroy: (error?: Error): void => {
        connection.destroy(error);
      },
    };
    try {
      const current = this.#reach.trustWith(source.current);
      await reverify(this.#verifier, 'client', [live], () => current, limits.handshakeTimeout, failures);
    } catch (error) {
      // The policy that verified the connection stays in force.
      failures.report(error, this.#context, 'taking new credentials');
    }
  }
}
