// @ts-check
// `npm start`: two servers, a shop that orders all the while, and a restart of each that loses nothing.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentialsOf, makeCertificates } from './certificates.mjs';
import { ApiClient } from './client.mjs';
import { startServer, stopServer } from './processes.mjs';

const folder = await mkdtemp(join(tmpdir(), 'knsock-json-api-'));
await makeCertificates(join(folder, 'certs'), ['shop', 'market', 'auditor']);
const servers = [await startServer(folder), await startServer(folder)];
console.log(`two servers listen on ports ${servers.map(({ port }) => port).join(' and ')}`);

const endpoints = servers.map(({ port }) => ({ host: 'localhost', port }));
const connectAs = async (/** @type {string} */ name) =>
  new ApiClient({ endpoints, credentials: await credentialsOf(join(folder, 'certs'), name) });
const [shop, market, auditor] = [
  await connectAs('shop'),
  await connectAs('market'),
  await connectAs('auditor'),
];

const order = await shop.call('orders.create', { item: 'tea', quantity: 2 });
console.log('shop → orders.create:', order);
console.log('auditor → orders.read:', await auditor.call('orders.read', { id: order.id }));
const refusals = [
  await auditor.call('orders.create', { item: 'tea', quantity: 1 }).catch((error) => error),
  await shop.call('orders.create', { item: 'tea', quantity: 0 }).catch((error) => error),
  await market.call('orders.read', { id: order.id }).catch((error) => error), // the shop's order
];
console.log('refused:', refusals.map(({ remoteCode }) => remoteCode).join(', '));

let [placed, busy] = [1, true];
const load = Promise.all(Array.from({ length: 8 }, placeOrders));
for (const [index, server] of servers.entries()) {
  await stopServer(server);
  servers[index] = await startServer(folder, server.port);
}
busy = false;
await load;
const { orders } = await auditor.call('orders.total', {});
console.log(`both servers restarted under load: ${placed} orders placed, ${orders} kept`);
process.exitCode = orders === placed ? 0 : 1;

await Promise.all([shop.close(), market.close(), auditor.close(), ...servers.map(stopServer)]);
await rm(folder, { recursive: true });

async function placeOrders() {
  for (; busy; placed += 1) await shop.call('orders.create', { item: 'tea', quantity: 1 });
}
