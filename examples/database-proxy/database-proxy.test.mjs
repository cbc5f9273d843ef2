// @ts-check
// On the embedded database; with DATABASE_URL on that one, whose table `orders` it replaces.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { connect, json, knsock } from '@knsock/core';
import pg from 'pg';
import { credentialsOf, makeCertificates } from './certificates.mjs';
import { DatabaseClient } from './client.mjs';
import { startEmbedded, startProxyClient, startProxyServer, startServer } from './processes.mjs';
import { schema } from './queries.mjs';

/** @type {string} */
let certs;
/** @type {string} */
let database;
/** @type {Awaited<ReturnType<typeof startServer>>} */
let server;
/** @type {DatabaseClient[]} */
const open = [];
/** @type {{ child: { kill(): unknown } }[]} */
const parts = [];

before(async () => {
  certs = await mkdtemp(join(tmpdir(), 'knsock-database-test-'));
  await makeCertificates(certs, ['shop', 'report', 'admin', 'stranger']);
  const embedded = process.env['DATABASE_URL'] ? undefined : await startEmbedded();
  if (embedded) parts.push(embedded);
  database = process.env['DATABASE_URL'] ?? embedded?.told ?? '';
  server = await startServer(database, certs);
  parts.push(server);
  const admin = await client('admin');
  await all(admin.sql('drop table if exists orders'));
  await all(admin.sql(schema));
});

afterEach(() => Promise.all(open.splice(0).map((one) => one.close())));

after(async () => {
  for (const { child } of parts) child.kill();
  await rm(certs, { recursive: true });
});

/** @param {string} name @param {number} [max] */
async function client(name, max) {
  const credentials = await credentialsOf(certs, name);
  const one = new DatabaseClient({
    port: Number(server.told),
    credentials,
    ...(max !== undefined && { max }),
  });
  open.push(one);
  return one;
}

/** @param {AsyncIterable<any>} rows */
async function all(rows) {
  const list = [];
  for await (const row of rows) list.push(row);
  return list;
}

/** @param {AsyncIterable<any>} rows @param {string} remoteCode @param {RegExp} [message] */
function refuses(rows, remoteCode, message = /./) {
  return assert.rejects(all(rows), { code: 'KNSOCK_REMOTE_HANDLER', remoteCode, message });
}

test('runs named queries, whose parameters are values and never SQL', async () => {
  const shop = await client('shop');
  const customer = "x'; drop table orders; --";
  const [added] = await all(shop.query('orders.add', { quantity: 2, item: 'tea', customer }));
  assert.deepEqual(await all(shop.query('orders.of', { customer })), [
    { id: added.id, item: 'tea', quantity: 2 },
  ]);
  assert.deepEqual(await all(shop.query('orders.of', { customer: 'nobody' })), []);
});

test('lets each certificate run its own queries, and strangers none', async () => {
  const [shop, report] = [await client('shop'), await client('report')];
  await refuses(report.query('orders.add', { customer: 'ann', item: 'tea', quantity: 1 }), 'not-allowed');
  await refuses(shop.query('calendar', { days: 1 }), 'not-allowed');
  await refuses(shop.query('constructor', {}), 'unknown-query');
  await refuses(shop.query('orders.of', { customer: 7 }), 'invalid-parameters', /customer/);
  await refuses(shop.query('orders.of', {}), 'invalid-parameters', /customer/);
  const credentials = await credentialsOf(certs, 'stranger');
  await assert.rejects(connect({ host: 'localhost', port: Number(server.told), credentials }), {
    reason: 'not-allowed',
  });
});

test('takes SQL from those alone whose role says so', async () => {
  const [shop, admin] = [await client('shop'), await client('admin')];
  await refuses(shop.sql('select 1'), 'not-allowed');
  assert.deepEqual(await all(admin.sql('select $1::text as word', ['hello'])), [{ word: 'hello' }]);
  await refuses(admin.sql('selec 1'), 'sql-42601', /syntax error/);
  await refuses(admin.sql('insert into orders (customer) values (null)'), 'sql-23502');
  assert.deepEqual(await all(admin.sql('select 2 as still')), [{ still: 2 }]);
});

test('keeps queries that only read from writing, whatever they call', async () => {
  const [shop, admin] = [await client('shop'), await client('admin')];
  const run = async (/** @type {string[]} */ ...statements) => {
    for (const statement of statements) await all(admin.sql(statement));
  };
  await run(
    'alter table orders rename to real_orders',
    `create function sneaky() returns int language sql as
      'insert into real_orders (customer, item, quantity) values (''x'', ''x'', 1) returning id'`,
    'create view orders as select sneaky() as id, customer, item, quantity from real_orders',
  );
  await all(admin.sql("insert into real_orders (customer, item, quantity) values ('read-only', 'tea', 1)"));
  await refuses(shop.query('orders.of', { customer: 'read-only' }), 'sql-25006');
  await run('drop view orders', 'drop function sneaky', 'alter table real_orders rename to orders');
});

test('streams rows as they come, however many', async () => {
  const report = await client('report');
  let [count, last] = [0, null];
  for await (const row of report.query('calendar', { days: 20_000 })) {
    count += 1;
    assert.equal(row.n, count);
    last = row.day;
  }
  assert.equal(count, 20_000);
  assert.match(String(last), /^2054-10-0/);
});

test('stops a query whose rows nobody wants any more, and mixes them with no other', async () => {
  const report = await client('report', 1);
  for (let time = 0; time < 12; time += 1) {
    for await (const { n } of report.query('calendar', { days: 50_000 })) if (n === 10) break;
    const rows = await all(report.query('calendar', { days: 3 }));
    assert.deepEqual(
      rows.map(({ n }) => n),
      [1, 2, 3],
    );
  }
});

// The embedded database can't stop a statement that runs.
const onPostgres = process.env['DATABASE_URL'] ? test : () => undefined;

onPostgres('cancels a long query when its client gives up or is gone', { timeout: 60_000 }, async () => {
  const admin = await client('admin');
  const running = "select 1 from pg_stat_activity where query like 'select pg_sleep(%' and state = 'active'";
  const count = async () => (await all(admin.sql(running))).length;
  const giveUp = new AbortController();
  const given = assert.rejects(all(admin.sql('select pg_sleep(500)', [], giveUp.signal)), {
    name: 'AbortError',
  });
  while ((await count()) !== 1);
  giveUp.abort();
  await given;
  while ((await count()) !== 0);
  const credentials = await credentialsOf(certs, 'admin');
  const framing = json(knsock());
  const gone = await connect({ host: 'localhost', port: Number(server.told), credentials, framing });
  const lost = assert.rejects(gone.request({ sql: 'select pg_sleep(501)', values: [] }));
  while ((await count()) !== 1);
  gone.destroy();
  await lost;
  while ((await count()) !== 0);
});

test('answers many clients over few database connections', async () => {
  const [shop, report] = [await client('shop', 20), await client('report', 20)];
  const rounds = Array.from({ length: 60 }, (_, n) =>
    n % 2 === 0
      ? all(shop.query('orders.add', { customer: 'many', item: 'tea', quantity: n + 1 }))
      : all(report.query('calendar', { days: n })),
  );
  for (const [n, rows] of (await Promise.all(rounds)).entries())
    assert.equal(rows.length, n % 2 === 0 ? 1 : n);
  assert.equal((await all(shop.query('orders.of', { customer: 'many' }))).length, 30);
});

test('any PostgreSQL client gets through knsock proxy, by the certificate of its side', async () => {
  const front = await startProxyServer(database, certs, ['admin']);
  const [side, wrongSide] = await Promise.all(
    ['admin', 'stranger'].map((name) => startProxyClient(front.told, certs, name)),
  );
  if (side === undefined || wrongSide === undefined) throw new Error('there are two');
  parts.push(front, side, wrongSide);
  const pool = new pg.Pool({ connectionString: at(side.told), max: 3 });
  const answers = await Promise.all([1, 2, 3, 4, 5].map((n) => pool.query('select $1::int * 2 as n', [n])));
  assert.deepEqual(
    answers.map(({ rows }) => rows[0].n),
    [2, 4, 6, 8, 10],
  );
  await pool.end();
  const stranger = new pg.Client({ connectionString: at(wrongSide.told) });
  stranger.on('error', () => undefined);
  await assert.rejects(stranger.connect());
});

test('a PostgreSQL client that speaks TLS itself needs no side of its own', async () => {
  const front = await startProxyServer(database, certs, ['admin']);
  parts.push(front);
  const file = (/** @type {string[]} */ ...path) => readFileSync(join(certs, ...path), 'utf8');
  const as = (/** @type {string} */ name) => {
    const [cert, key] = [file('issued', `${name}.crt`), file('issued', `${name}.key`)];
    const ssl = { ca: file('ca', 'root.crt'), cert, key, servername: 'localhost' };
    return new pg.Client({ connectionString: at(front.told), ssl });
  };
  const admin = as('admin');
  await admin.connect();
  assert.deepEqual((await admin.query('select 7 as n')).rows, [{ n: 7 }]);
  await admin.end();
  const stranger = as('stranger');
  stranger.on('error', () => undefined);
  await assert.rejects(stranger.connect());
});

/** The database through another port of this machine. @param {string} port */
function at(port) {
  return Object.assign(new URL(database), { host: `127.0.0.1:${port}` }).href;
}
