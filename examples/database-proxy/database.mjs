// @ts-check
import { once } from 'node:events';
import Cursor from 'pg-cursor';
import pg from 'pg';
import { RequestError } from '@knsock/core';

const rowsAtOnce = 500;

/** A database whose statements are streamed, and stopped when nobody waits for them any more. */
export class Database {
  #pool;
  #canceller;

  /** @param {string} connectionString */
  constructor(connectionString) {
    this.#pool = new pg.Pool({ connectionString, max: 4, connectionTimeoutMillis: 10_000 });
    this.#canceller = new pg.Pool({ connectionString, max: 1, connectionTimeoutMillis: 10_000 });
    for (const pool of [this.#pool, this.#canceller]) {
      pool.on('error', () => undefined); // an idle connection that the database ended is replaced when it is needed
      pool.on('connect', (connection) => connection.on('error', () => undefined)); // a used one fails its query
    }
  }

  /**
   * Calls `send` with some rows at a time, each time when it is done with those before; with none at the end.
   * @param {{ text: string, values: unknown[], writes: boolean }} statement
   * @param {AbortSignal} signal
   * @param {(rows: object[]) => Promise<void>} send
   */
  async stream({ text, values, writes }, signal, send) {
    const connection = await this.#pool.connect().catch(explain);
    const processId = /** @type {any} */ (connection).processID;
    const cancel = () =>
      this.#canceller.query('select pg_cancel_backend($1)', [processId]).catch(() => undefined);
    // A cursor that ends together with its connection would be waited for forever.
    const over = new AbortController();
    const lost = once(connection, 'end', { signal: over.signal }).then(() => explain({ code: '08006' }));
    lost.catch(() => undefined);
    let isDone = false;
    signal.addEventListener('abort', cancel);
    try {
      signal.throwIfAborted();
      await connection.query(writes ? 'begin' : 'begin read only');
      const cursor = connection.query(new Cursor(text, values));
      for (;;) {
        const rows = await Promise.race([cursor.read(rowsAtOnce), lost]);
        if (rows.length === 0) break;
        await send(rows);
      }
      await connection.query('commit');
      await send([]);
      isDone = !signal.aborted; // else the cancellation is under way, and must not meet the next query
    } catch (error) {
      explain(error);
    } finally {
      over.abort();
      signal.removeEventListener('abort', cancel);
      connection.release(!isDone);
    }
  }

  async close() {
    await Promise.all([this.#pool.end(), this.#canceller.end()]);
  }
}

/** @param {any} error @returns {never} */
function explain(error) {
  const { code = '', message } = error;
  const isGone = /^(08|57P)/.test(code) || error.syscall !== undefined || /connection|timeout/i.test(message);
  if (/^[\dA-Z]{5}$/.test(code) && !isGone) throw new RequestError(`sql-${code}`, message);
  throw isGone ? new RequestError('unavailable', 'the database is away; try again') : error;
}
