// The other end: one connection with a certificate, and one try without.
import { join } from 'node:path';
import { ClientCertificateRefusedError, connect, loadCredentials, RemoteHandlerError } from '@knsock/core';

const [port, folder] = [Number(process.argv[2]), process.argv[3]];
const say = (line) => console.log(`client  ${line}`);
const file = (name) => join(folder, name);

const credentials = await loadCredentials({
  certFile: file('client.crt'),
  keyFile: file('client.key'),
  caFile: file('ca.crt'),
});
const connection = await connect({ host: 'localhost', port, credentials });
say(
  `connected: ${connection.tls.version}, ${connection.tls.cipher}; the server is verified as ${connection.peer.dnsNames}`,
);

say(`greet → ${await connection.request('greet')}`);

const sums = await Promise.all(Array.from({ length: 100 }, (_, n) => connection.request(`sum ${n} ${n}`)));
say(`100 requests at once over the one connection: 0+0=${sums[0]}, 1+1=${sums[1]}, … 99+99=${sums[99]}`);

await connection.request('dance').catch((error) => {
  if (!(error instanceof RemoteHandlerError)) throw error;
  say(`dance → refused by the server: ${error.message} (${error.remoteCode})`);
});

await connection.close();
const { clean } = await connection.closed;
say(`closed ${clean === true ? 'cleanly: no message was lost' : 'uncleanly'}`);

const stranger = await loadCredentials({ caFile: file('ca.crt') });
try {
  await connect({ host: 'localhost', port, credentials: stranger });
  say('admitted without a certificate: that must not happen');
  process.exitCode = 1;
} catch (error) {
  if (!(error instanceof ClientCertificateRefusedError)) throw error;
  say(`without a certificate → refused: ${error.message}`);
  say(`        ${error.code} (${error.reason}). ${error.hint}`);
}
