// @ts-check
// `npm start`: a database, asked by named queries over mutual TLS, and by a PostgreSQL client through knsock proxy.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { credentialsOf, makeCertificates } from './certificates.mjs';
import { DatabaseClient } from './client.mjs';
import { startEmbedded, startProxyClient, startProxyServer, startServer } from './processes.mjs';
import { schema } from './queries.mjs';

const certs = await mkdtemp(join(tmpdir(), 'knsock-database-'));
await makeCertificates(certs, ['shop', 'report', 'admin']);
const embedded = process.env['DATABASE_URL'] ? undefined : await startEmbedded();
const database = embedded?.told ?? process.env['DATABASE_URL'] ?? '';
const server = await startServer(database, certs);
console.log(`named queries on port ${server.told}, before ${database}`);

const connectTo = async (/** @type {string} */ name) =>
  new DatabaseClient({ port: Number(server.told), credentials: await credentialsOf(certs, name) });
const [shop, admin] = [await connectTo('shop'), await connectTo('admin')];
for await (const _ of admin.sql(schema));
for await (const row of shop.query('orders.add', { customer: 'ann', item: 'tea', quantity: 2 }))
  console.log('shop → orders.add:', row);
for await (const row of shop.query('orders.of', { customer: 'ann' })) console.log('shop → orders.of:', row);
const refusal = await shop
  .sql('drop table orders')
  .next()
  .catch((error) => error);
console.log(`shop → sql: ${refusal.remoteCode}, ${refusal.message}`);

const proxyServer = await startProxyServer(database, certs, ['admin']);
const proxyClient = await startProxyClient(proxyServer.told, certs, 'admin');
const through = new URL(database);
through.host = `127.0.0.1:${proxyClient.told}`;
const client = new pg.Client({ connectionString: through.href });
await client.connect();
const { rows } = await client.query('select count(*)::int as orders from orders');
console.log(`node-postgres, through knsock proxy on port ${proxyClient.told}:`, rows[0]);

await Promise.all([client.end(), shop.close(), admin.close()]);
for (const part of [proxyClient, proxyServer, server, embedded]) part?.child.kill('SIGTERM');
await rm(certs, { recursive: true });
