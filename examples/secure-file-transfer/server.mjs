// @ts-check
// Keeps a folder for each client, named by its certificate: `node server.mjs PORT CERTIFICATES FOLDER`.
import { join } from 'node:path';
import { listen, RequestError } from '@knsock/core';
import { credentialsOf } from './certificates.mjs';
import { checkName, describe, ownFolder } from './safe-files.mjs';
import { giveFile, patience, takeFile } from './transfer.mjs';

const [port = '8444', certificates = 'certs', folder = 'files'] = process.argv.slice(2);
const server = await listen(
  {
    port: Number(port),
    host: 'localhost',
    credentials: await credentialsOf(certificates, 'server'),
    clientCertificates: 'require',
    heartbeat: { interval: 10_000, timeout: 10_000 },
    sendTimeout: patience,
  },
  (connection) => connection.onRequest(({ payload }) => obey(connection, payload)),
);
console.log(`listening on ${'port' in server.address ? server.address.port : ''}`);
process.once('SIGTERM', () => server.close());

/** @param {import('./transfer.mjs').Connection} connection @param {Buffer} payload */
async function obey(connection, payload) {
  const { order, name, size, sha256 } = JSON.parse(payload.toString());
  const home = await ownFolder(folder, checkName(connection.peer?.commonNames[0]));
  const path = join(home, checkName(name));
  if (order === 'describe') return JSON.stringify(await describe(path));
  if (order === 'give') await giveFile(connection, path);
  else if (order === 'take' && size >= 0 && /^[\da-f]{64}$/.test(sha256))
    await takeFile(connection, home, { name, size, sha256 });
  else throw new RequestError('bad-request', 'that is no order of this protocol');
  return 'done';
}
