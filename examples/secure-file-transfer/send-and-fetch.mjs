// @ts-check
// The client's two verbs. Each goes on where a cut has left it: 10 attempts, of which each may wait for the server.
import { basename } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe } from './safe-files.mjs';
import { giveFile, takeFile } from './transfer.mjs';

/** @typedef {import('@knsock/pool').ConnectionPool} Pool its `max` is how many files go at once */
/** @typedef {import('./transfer.mjs').Connection} Connection */
/** @typedef {import('./transfer.mjs').OnProgress} OnProgress */

const passing = ['busy', 'wrong-hash', 'cut'];
const timeout = 2 ** 31 - 1; // some 24 days: a transfer is ended by silence and not by a clock

/** @param {Pool} pool @param {string} path @param {OnProgress} [onProgress] */
export async function sendFile(pool, path, onProgress) {
  const about = { name: basename(path), ...(await describe(path)) };
  await persist(pool, (connection) => [
    connection.request(JSON.stringify({ order: 'take', ...about }), { timeout }),
    giveFile(connection, path, onProgress),
  ]);
}

/** @param {Pool} pool @param {string} name @param {string} folder @param {OnProgress} [onProgress] */
export async function fetchFile(pool, name, folder, onProgress) {
  const told = await pool.request(JSON.stringify({ order: 'describe', name }), { timeout, idempotent: true });
  const about = { name, ...JSON.parse(String(told)) };
  await persist(pool, (connection) => [
    connection.request(JSON.stringify({ order: 'give', name }), { timeout }),
    takeFile(connection, folder, about, onProgress),
  ]);
}

/** Runs the server's half and ours. @param {Pool} pool @param {(connection: Connection) => Promise<unknown>[]} halves */
async function persist(pool, halves, attempts = 10) {
  const lease = await pool.acquire();
  try {
    await Promise.all(halves(lease.value));
    lease.release();
  } catch (/** @type {any} */ error) {
    lease.destroy(); // which ends the other half too
    if (attempts === 1 || !(error.retryable || passing.includes(error.remoteCode ?? error.code))) throw error;
    await pause(1_000 / attempts);
    await persist(pool, halves, attempts - 1);
  }
}
