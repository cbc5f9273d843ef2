// @ts-check
import { join } from 'node:path';
import { openStore } from '@knsock/certs';
import { loadCredentials } from '@knsock/core';

/**
 * Makes development certificates: a CA, one for localhost and one for each client. In production they come from
 * your CA (`knsock certs`, cert-manager, Vault …), and only `credentialsOf` is needed.
 * @param {string} folder
 * @param {readonly string[]} clients their common names, by which the server knows them
 */
export async function makeCertificates(folder, clients) {
  const store = await openStore(folder);
  const authority = await store.createDevelopmentAuthority();
  await authority.issue({ kind: 'server', names: ['localhost', '127.0.0.1', '::1'], file: 'server' });
  for (const name of clients) await authority.issue({ kind: 'client', commonName: name, file: name });
}

/**
 * @param {string} folder
 * @param {string} name `server`, or a client
 */
export function credentialsOf(folder, name) {
  return loadCredentials({
    certFile: join(folder, 'issued', `${name}.crt`),
    keyFile: join(folder, 'issued', `${name}.key`),
    caFile: join(folder, 'ca', 'root.crt'),
  });
}
