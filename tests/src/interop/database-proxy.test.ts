// examples/database-proxy on a real PostgreSQL: its own tests, PostgreSQL's programs through it, a restart under load.
import { execFile, spawn } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it, type TestContext } from 'vitest';
import { credentialsOf, makeCertificates } from '../../../examples/database-proxy/certificates.mjs';
import { DatabaseClient } from '../../../examples/database-proxy/client.mjs';
import { Running } from '../support/command.js';
import { ExampleCopies, runNode } from '../support/example-copies.js';
import { startProxy } from '../support/proxying.js';
import { postgresPrograms, startPostgres, type Postgres } from './postgres.js';
import { needsTools, toolPath } from './tools.js';

const run = promisify(execFile);
const installed = toolPath('psql') !== undefined && postgresPrograms() !== undefined;

let copies: ExampleCopies;
let example: string;
let certs: string;
let postgres: Postgres;
beforeAll(async () => {
  copies = await ExampleCopies.create();
  example = copies.copy('database-proxy');
  certs = join(example, 'certs');
  await makeCertificates(certs, ['shop', 'report', 'admin']);
  if (installed) postgres = await startPostgres();
});
afterAll(async () => {
  if (installed) await postgres[Symbol.asyncDispose]();
  await copies[Symbol.asyncDispose]();
});

function needsPostgres(context: TestContext): void {
  needsTools(context, 'psql', 'pg_dump', ...(postgresPrograms() === undefined ? ['postgres'] : []));
}

const createOrders = `drop table if exists orders;
  create table orders (id serial primary key, customer text, item text, quantity int)`;
const databaseUrl = (): string => `postgres://app@127.0.0.1:${postgres.port}/postgres`;

function filesOf(name: string): string[] {
  const issued = join(certs, 'issued', name);
  return ['--cert', `${issued}.crt`, '--key', `${issued}.key`, '--ca', join(certs, 'ca', 'root.crt')];
}

/** Both sides of `knsock proxy` before the database, and how PostgreSQL's own programs get in by either. */
async function startProxies() {
  const target = ['--target', `127.0.0.1:${postgres.port}`, '--postgres', '--allow-cn', 'admin'];
  const outer = await startProxy('server', [...target, ...filesOf('server')]);
  const inner = await startProxy('client', ['--target', outer.address, '--postgres', ...filesOf('admin')]);
  const port = (address: string): string => address.split(':')[1] ?? '';
  const issued = join(certs, 'issued', 'admin');
  const tls = `sslmode=verify-full sslrootcert=${join(certs, 'ca/root.crt')} sslcert=${issued}.crt sslkey=${issued}.key`;
  return {
    plain: `host=127.0.0.1 port=${port(inner.address)} user=app sslmode=disable`,
    direct: `host=localhost hostaddr=127.0.0.1 port=${port(outer.address)} user=app ${tls}`,
    [Symbol.asyncDispose]: async () => {
      await inner[Symbol.asyncDispose]();
      await outer[Symbol.asyncDispose]();
    },
  };
}

async function psql(connection: string, statement: string): Promise<string> {
  return (await run('psql', [connection, '-XAtqc', statement])).stdout.trim();
}

async function startServer(): Promise<{ server: Running; port: number }> {
  const env = { ...process.env, DATABASE_URL: databaseUrl() };
  const server = new Running(spawn(process.execPath, ['server.mjs', '0', certs], { cwd: example, env }));
  const [, port = ''] = await server.says(/listening on (\d+)/);
  return { server, port: Number(port) };
}

it('passes its own tests on PostgreSQL', { timeout: 150_000 }, async (context) => {
  needsPostgres(context);
  const args = ['--test', '--test-reporter=tap'];
  const { code, output } = await runNode(example, args, {
    signal: AbortSignal.timeout(140_000),
    env: { DATABASE_URL: databaseUrl() },
  });
  expect(code, output).toBe(0);
  expect(output).toMatch(/^ok \d+ - cancels a long query when its client gives up or is gone$/m);
  expect(output).toMatch(/^# skipped 0$/m);
});

it('has a database dumped by one side of the proxy and restored by the other', async (context) => {
  needsPostgres(context);
  await using proxies = await startProxies();
  await psql(`${proxies.plain} dbname=postgres`, 'create database original');
  await psql(`${proxies.plain} dbname=postgres`, 'create database restored');
  const fill = 'create table pieces as select n, md5(n::text) as hash from generate_series(1, 100000) as n';
  await psql(`${proxies.plain} dbname=original`, fill);
  for (const [from, to] of [
    [proxies.plain, proxies.direct],
    [proxies.direct, proxies.plain],
  ] as const) {
    const dump = join(example, 'dump');
    await run('pg_dump', ['-Fc', '-f', dump, `${from} dbname=original`]);
    await run('pg_restore', ['--clean', '--if-exists', '-d', `${to} dbname=restored`, dump]);
    const digest = "select count(*), md5(string_agg(hash, '' order by n)) from pieces";
    const restored = await psql(`${to} dbname=restored`, digest);
    expect(restored).toBe(await psql(`${from} dbname=original`, digest));
    expect(restored).toMatch(/^100000\|/);
    await psql(`${to} dbname=restored`, 'drop table pieces');
  }
});

it('lets psql cancel a long query by Ctrl-C through the proxy', async (context) => {
  needsPostgres(context);
  await using proxies = await startProxies();
  const connection = `${proxies.plain} dbname=postgres`;
  await using sleeper = new Running(spawn('psql', [connection, '-Xc', 'select pg_sleep(502)']));
  const running =
    "select count(*) from pg_stat_activity where query = 'select pg_sleep(502)' and state = 'active'";
  while ((await psql(connection, running)) !== '1');
  sleeper.kill('SIGINT');
  expect((await sleeper.ended()).stderr).toContain('canceling statement due to user request');
  expect(await psql(connection, running)).toBe('0');
});

it('answers one client while another holds all that it may and reads nothing', async (context) => {
  needsPostgres(context);
  const { server, port } = await startServer();
  await using _server = server;
  const slow = new DatabaseClient({ port, credentials: await credentialsOf(certs, 'report'), max: 10 });
  const shop = new DatabaseClient({ port, credentials: await credentialsOf(certs, 'shop') });
  const readers = Array.from({ length: 10 }, () => slow.query('calendar', { days: 3_000_000 }));
  const first = readers.map((rows) => rows.next());
  await Promise.any(first);
  await psql(`host=127.0.0.1 port=${postgres.port} user=app dbname=postgres`, createOrders);
  const rows = shop.query('orders.add', { customer: 'patient', item: 'tea', quantity: 1 });
  expect(await rows.next()).toMatchObject({ value: { id: 1 } });
  await rows.return(undefined);
  server.kill('SIGKILL');
  await Promise.allSettled([...first, ...readers.map((rows) => rows.return(undefined))]);
  await Promise.all([shop.close(), slow.close()]);
});

it('serves on when the database is restarted under load', { timeout: 90_000 }, async (context) => {
  needsPostgres(context);
  const { server, port } = await startServer();
  await using _server = server;
  await using proxies = await startProxies();
  const admin = new DatabaseClient({ port, credentials: await credentialsOf(certs, 'admin') });
  const shop = new DatabaseClient({ port, credentials: await credentialsOf(certs, 'shop') });
  await psql(`${proxies.plain} dbname=postgres`, createOrders);

  const confirmed = new Set<number>();
  const codes = new Set<string>();
  let [busy, answered] = [true, 0];
  const load = Promise.all(Array.from({ length: 4 }, order));
  async function order(): Promise<void> {
    while (busy) {
      try {
        const rows = shop.query('orders.add', { customer: 'load', item: 'tea', quantity: 1 });
        const ids = [];
        for await (const { id } of rows as AsyncIterable<{ id: number }>) ids.push(id);
        for (const id of ids) confirmed.add(id); // only now: rows come before the commit
        answered += 1;
      } catch (error) {
        codes.add((error as { remoteCode?: string }).remoteCode ?? String(error));
      }
    }
  }
  const untilMore = async (): Promise<void> => {
    const before = answered;
    while (answered < before + 50) await new Promise(setImmediate);
  };
  const held = new Running(
    spawn('psql', [`${proxies.plain} dbname=postgres`, '-Xc', 'select pg_sleep(503)']),
  );
  await untilMore();
  for (let time = 0; time < 2; time += 1) {
    await postgres.restart();
    await untilMore();
  }
  busy = false;
  await load;
  await shop.close();

  // What was acknowledged is kept; what failed said so, and nothing but that the database was away.
  const kept = new Set<number>();
  for await (const { id } of admin.sql('select id from orders') as AsyncIterable<{ id: number }>)
    kept.add(id);
  expect([...confirmed].filter((id) => !kept.has(id))).toEqual([]);
  expect(confirmed.size).toBeGreaterThanOrEqual(150);
  expect([...codes].filter((code) => code !== 'unavailable')).toEqual([]);
  expect((await held.ended()).code).not.toBe(0);
  expect(await psql(`${proxies.plain} dbname=postgres`, 'select 6 * 7')).toBe('42');
  expect(await psql(`${proxies.direct} dbname=postgres`, 'select 6 * 7')).toBe('42');
  await admin.close();
  server.kill('SIGTERM');
  expect((await server.ended()).code).toBe(0);
});
