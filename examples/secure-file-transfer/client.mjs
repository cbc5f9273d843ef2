// @ts-check
// `node client.mjs PORT CERTIFICATES NAME send|fetch FILE…`: four files at once, each with its progress.
import { ConnectionPool } from '@knsock/pool';
import { credentialsOf } from './certificates.mjs';
import { fetchFile, sendFile } from './send-and-fetch.mjs';
import { patience } from './transfer.mjs';

const [port, certificates = 'certs', name = '', verb, ...files] = process.argv.slice(2);
const endpoints = [{ host: 'localhost', port: Number(port) }];
const credentials = await credentialsOf(certificates, name);
const pool = new ConnectionPool({ endpoints, credentials, max: 4, sendTimeout: patience });
await Promise.all(files.map(transfer));
await pool.close();

/** @param {string} file */
async function transfer(file) {
  let shown = -1;
  const show = (/** @type {number} */ done, /** @type {number} */ size) => {
    const blocks = Math.floor((done / size) * 20);
    if (blocks > shown) console.log(`${'█'.repeat(blocks).padEnd(20, '░')} ${blocks * 5} % ${file}`);
    shown = blocks;
  };
  try {
    await (verb === 'fetch' ? fetchFile(pool, file, '.', show) : sendFile(pool, file, show));
    console.log(`${file}: transferred, hash verified`);
  } catch (/** @type {any} */ error) {
    console.error(`${file}: ${error.message} (${error.remoteCode ?? error.code})`);
    process.exitCode = 1;
  }
}
