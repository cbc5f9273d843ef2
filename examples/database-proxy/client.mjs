// @ts-check
import { json, knsock } from '@knsock/core';
import { ConnectionPool } from '@knsock/pool';

/** Rows from the database server, as they come: `for await (const row of client.query('orders.of', { customer }))`. */
export class DatabaseClient {
  #pool;

  /** @param {{ port: number, credentials: import('@knsock/core').Credentials, host?: string, max?: number }} options */
  constructor({ port, credentials, host = 'localhost', max = 4 }) {
    this.#pool = new ConnectionPool({
      endpoints: [{ host, port }],
      credentials,
      max,
      framing: json(knsock()),
    });
  }

  /** @param {string} query @param {Record<string, unknown>} parameters @param {AbortSignal} [signal] */
  query(query, parameters, signal) {
    return this.#rows({ query, parameters }, signal);
  }

  /** For clients that may. @param {string} sql @param {unknown[]} [values] @param {AbortSignal} [signal] */
  sql(sql, values = [], signal) {
    return this.#rows({ sql, values }, signal);
  }

  close() {
    return this.#pool.close();
  }

  /** A reader that stops early, or is slow, stops or slows the database. @param {object} ask @param {AbortSignal} [signal] */
  async *#rows(ask, signal) {
    const lease = await this.#pool.acquire({ signal });
    const stop = new AbortController();
    let isDone = false;
    try {
      const answer = lease.value.request(ask, { signal, timeout: 2 ** 31 - 1 });
      // The answer may be here while rows that came before it wait to be taken; only its failure ends them.
      const failure = new Promise((_, reject) => answer.catch(reject));
      for (;;) {
        const rows = await Promise.race([lease.value.receive({ signal: stop.signal }), failure]);
        if (!Array.isArray(rows) || rows.length === 0) break;
        yield* rows;
      }
      await answer;
      isDone = true;
    } catch (/** @type {any} */ error) {
      isDone = error.code === 'KNSOCK_REMOTE_HANDLER'; // a refusal leaves the connection as good as before
      throw error;
    } finally {
      stop.abort(); // a receive that still waits would take a later borrower's rows
      if (isDone) lease.release();
      else lease.destroy(); // the server hears it, and cancels the query
    }
  }
}
