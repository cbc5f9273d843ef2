// @ts-check
import { json, knsock } from '@knsock/core';
import { ConnectionPool } from '@knsock/pool';
import { contract } from './contract.mjs';

/** @import { Endpoint, Input, Output } from './contract.mjs' */

/** The API's typed client: knows every endpoint, its input and its output. */
export class ApiClient {
  #pool;

  /**
   * @param {object} options
   * @param {{ host: string, port: number }[]} options.endpoints servers that can stand in for one another
   * @param {import('@knsock/core').Credentials} options.credentials
   */
  constructor({ endpoints, credentials }) {
    this.#pool = new ConnectionPool({ endpoints, credentials, framing: json(knsock()), max: 4 });
  }

  /**
   * A server that restarts loses nothing: what it didn't start goes to another, by itself.
   * @template {Endpoint} E
   * @param {E} endpoint
   * @param {Input<E>} input
   * @param {{ signal?: AbortSignal, timeout?: number }} [options]
   * @returns {Promise<Output<E>>}
   * @throws RemoteHandlerError, whose `remoteCode` is `invalid-request`, `not-allowed`, `rate-limited` …
   */
  async call(endpoint, input, options) {
    const { idempotent, output } = contract[endpoint];
    const answer = await this.#pool.request({ endpoint, input }, { ...options, idempotent });
    return /** @type {Output<E>} */ (output.parse(answer));
  }

  close() {
    return this.#pool.close();
  }
}
