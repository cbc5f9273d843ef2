// @ts-check
// `DATABASE_URL=postgres://… node server.mjs PORT CERTIFICATES`: named queries for each client, rows as JSON.
import { json, knsock, listen, RequestError } from '@knsock/core';
import { z } from 'zod';
import { credentialsOf } from './certificates.mjs';
import { Database } from './database.mjs';
import { clients, queries } from './queries.mjs';

const named = z.strictObject({ query: z.string(), parameters: z.record(z.string(), z.unknown()) });
const raw = z.strictObject({ sql: z.string(), values: z.array(z.unknown()) });

const [port = '8445', certificates = 'certs'] = process.argv.slice(2);
// Each client has database connections of its own: those that one holds, reading slowly, are no other's.
const databases = new Map(
  Object.keys(clients).map((name) => [name, new Database(process.env['DATABASE_URL'] ?? '')]),
);
const server = await listen(
  {
    port: Number(port),
    host: 'localhost',
    credentials: await credentialsOf(certificates, 'server'),
    clientCertificates: 'require',
    authorize: { commonNames: Object.keys(clients) },
    framing: json(knsock(), { schema: z.union([named, raw]) }),
  },
  (connection) =>
    connection.onRequest(async ({ payload, peer, signal }) => {
      const client = peer?.commonNames[0] ?? '';
      const statement = allowed(payload, client);
      await databases.get(client)?.stream(statement, signal, (rows) => connection.send(rows));
      return 'done';
    }),
);
console.log(`listening on ${'port' in server.address ? server.address.port : ''}`);
process.once('SIGTERM', () =>
  server.close().then(() => Promise.all([...databases.values()].map((one) => one.close()))),
);

/** @param {z.infer<typeof named> | z.infer<typeof raw>} payload @param {string} client */
function allowed(payload, client) {
  const may = clients[client] ?? {};
  if ('sql' in payload) {
    if (may.sql !== true) throw new RequestError('not-allowed', `${client} may use named queries only`);
    return { text: payload.sql, values: payload.values, writes: true };
  }
  const query = Object.hasOwn(queries, payload.query) ? queries[payload.query] : undefined;
  if (query === undefined) throw new RequestError('unknown-query', `there is no ${payload.query}`);
  if (!may.queries?.includes(payload.query))
    throw new RequestError('not-allowed', `${client} may not run ${payload.query}`);
  const parsed = query.parameters.safeParse(payload.parameters);
  if (!parsed.success) throw new RequestError('invalid-parameters', z.prettifyError(parsed.error));
  const values = Object.keys(query.parameters.shape).map((name) => parsed.data[name]);
  return { text: query.text, values, writes: query.writes === true };
}
