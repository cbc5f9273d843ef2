import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi, type TestContext } from 'vitest';
import { createCertificateFolder, type CertificateFolder } from '../support/certificate-folder.js';
import { answerer, startProxy } from '../support/proxying.js';
import { postgresPrograms, startPostgres, type Postgres } from './postgres.js';
import { needsTools, toolPath } from './tools.js';

const run = promisify(execFile);
const installed = toolPath('psql') !== undefined && postgresPrograms() !== undefined;

let files: CertificateFolder;
let postgres: Postgres;
let server: string[];
let client: string[];
beforeAll(async () => {
  files = await createCertificateFolder();
  const ca = ['--ca', files.at('ca.crt')];
  server = ['--cert', files.at('server.crt'), '--key', files.at('server.key'), ...ca];
  client = ['--cert', files.at('client.crt'), '--key', files.at('client.key'), ...ca];
  if (installed)
    postgres = await startPostgres({ cert: files.at('server.crt'), key: files.at('server.key') });
});
afterAll(async () => {
  if (installed) await postgres[Symbol.asyncDispose]();
  await files[Symbol.asyncDispose]();
});

function needsPostgres(context: TestContext): void {
  needsTools(context, 'psql', ...(postgresPrograms() === undefined ? ['postgres'] : []));
}

/** What psql prints for a query, or says where it fails. */
async function psql(connection: string, query = 'select 6 * 7'): Promise<string> {
  const env = { PATH: process.env['PATH'], HOME: files.path, PGCONNECT_TIMEOUT: '10' };
  try {
    return (
      await run('psql', [`${connection} user=app dbname=postgres`, '-XAtc', query], { env })
    ).stdout.trim();
  } catch (error) {
    return (error as { stderr: string }).stderr;
  }
}

const verified = (address: string): string =>
  `host=localhost hostaddr=127.0.0.1 port=${address.split(':')[1] ?? ''} sslmode=verify-full sslrootcert=${files.at('ca.crt')} sslcert=${files.at('client.crt')} sslkey=${files.at('client.key')}`;
const plain = (address: string): string => `host=127.0.0.1 port=${address.split(':')[1] ?? ''}`;

/** A proxy that takes TLS and passes on to PostgreSQL's Unix socket. */
const beforePostgres = (...flags: string[]): ReturnType<typeof startProxy> =>
  startProxy('server', ['--target', `unix:${postgres.socket}`, ...server, ...flags]);

describe('knsock proxy and PostgreSQL', () => {
  it('carry psql through both sides, PostgreSQL knowing of no TLS', async (context) => {
    needsPostgres(context);
    await using outer = await beforePostgres('--allow-cn', 'app');
    await using inner = await startProxy('client', ['--target', outer.address, ...client]);
    expect(await psql(`${plain(inner.address)} sslmode=disable`)).toBe('42');
    const megabytes = await psql(
      `${plain(inner.address)} sslmode=disable`,
      "select length(repeat('x', 20000000)), md5(repeat('x', 20000000))",
    );
    expect(megabytes).toMatch(/^20000000\|[0-9a-f]{32}$/);
  });

  it("answer psql's own SSLRequest, with client certificates", async (context) => {
    needsPostgres(context);
    await using proxy = await beforePostgres('--postgres', '--allow-cn', 'app');
    expect(await psql(verified(proxy.address))).toBe('42');
    const rows = await psql(verified(proxy.address), 'select generate_series(1, 100000)');
    expect(rows.split('\n')).toHaveLength(100_000);
    expect(await psql(`${plain(proxy.address)} sslmode=require`)).toMatch(/unexpectedly|EOF detected/);
    await proxy.running.says(/KNSOCK_PEER_CERTIFICATE_MISSING|KNSOCK_PEER_NO_CERTIFICATE/);
  });

  it('refuse a start in plain, in words that psql shows', async (context) => {
    needsPostgres(context);
    await using proxy = await beforePostgres('--postgres', '--allow-all');
    expect(await psql(`${plain(proxy.address)} sslmode=disable`)).toContain(
      'FATAL:  this server takes TLS connections only',
    );
    await proxy.running.says(/the client began a connection without TLS/);
  });

  it('take a client that begins with TLS at once, as those of version 17 may', async (context) => {
    needsPostgres(context);
    await using proxy = await beforePostgres('--postgres', '--allow-cn', 'app');
    const [ca, cert, key] = ['ca.crt', 'client.crt', 'client.key'].map((name) =>
      readFileSync(files.at(name)),
    );
    const port = Number(proxy.address.split(':')[1]);
    const socket = connectTls({
      port,
      host: '127.0.0.1',
      servername: 'localhost',
      ca,
      cert,
      key,
      ALPNProtocols: ['postgresql'],
    });
    await once(socket, 'secureConnect');
    expect(socket.alpnProtocol).toBe('postgresql');
    socket.write(
      Buffer.from(
        '0000002400030000' + Buffer.from('user\0app\0database\0postgres\0\0').toString('hex'),
        'hex',
      ),
    );
    const [answer] = (await once(socket, 'data')) as [Buffer];
    // AuthenticationOk.
    expect(answer.subarray(0, 9).toString('hex')).toBe('520000000800000000');
    socket.destroy();
  });

  it('refuse bytes that come in plain behind the request', async (context) => {
    needsPostgres(context);
    await using proxy = await beforePostgres('--postgres', '--allow-all');
    const socket = connect(Number(proxy.address.split(':')[1]), '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(Buffer.from('0000000804d2162f' + '1603010200', 'hex'));
    await once(socket.resume(), 'close');
    expect(socket.bytesRead).toBe(0);
    await proxy.running.says(/bytes in plain came where TLS was to begin/);
  });

  it('ask PostgreSQL for TLS, and tell psql that there is none on the plain side', async (context) => {
    needsPostgres(context);
    await using proxy = await startProxy('client', [
      '--postgres',
      '--target',
      `localhost:${postgres.port}`,
      '--ca',
      files.at('ca.crt'),
    ]);
    const query = 'select ssl from pg_stat_ssl where pid = pg_backend_pid()';
    expect(await psql(`${plain(proxy.address)} sslmode=prefer gssencmode=disable`, query)).toBe('t');
    expect(await psql(`${plain(proxy.address)} sslmode=require`)).toContain('server does not support SSL');
  });

  it('put TLS between TLS and TLS', async (context) => {
    needsPostgres(context);
    const target = [
      '--target',
      `localhost:${postgres.port}`,
      '--target-tls',
      '--target-ca',
      files.at('ca.crt'),
    ];
    await using proxy = await startProxy('server', ['--postgres', ...target, ...server, '--allow-cn', 'app']);
    const query = 'select ssl from pg_stat_ssl where pid = pg_backend_pid()';
    expect(await psql(verified(proxy.address), query)).toBe('t');
  });

  it("tell psql why they can't pass it on", async (context) => {
    needsPostgres(context);
    await using down = await answerer();
    await down[Symbol.asyncDispose]();
    await using unreached = await startProxy('server', [
      '--postgres',
      '--target',
      down.address,
      ...server,
      '--allow-cn',
      'app',
    ]);
    const unverified = ['--postgres', '--target', `localhost:${postgres.port}`];
    await using distrusting = await startProxy('client', unverified);
    const refused = ['--postgres', '--target', unreached.address, '--ca', files.at('ca.crt')];
    await using certless = await startProxy('client', refused);
    const words = "FATAL:  the proxy can't pass this connection on: ";
    const local = (address: string): string => `${plain(address)} sslmode=disable gssencmode=disable`;
    const asked = await psql(verified(unreached.address));
    expect(asked).toContain(`${words}the target ${down.address} can't be reached: connect ECONNREFUSED`);
    expect(asked).toMatch(/HINT: +Is it running/);
    expect(await psql(local(distrusting.address))).toMatch(new RegExp(`${words}.*issued by`));
    // In TLS 1.3 the client counts itself as connected before the server has judged it.
    const answer = await psql(local(certless.address));
    expect(answer).toMatch(new RegExp(`${words}.*certificate`));
    expect(answer).toMatch(/HINT: .*--cert /);
  });

  it('let psql behind the client side cancel its query', async (context) => {
    needsPostgres(context);
    await using outer = await beforePostgres('--postgres', '--allow-cn', 'app');
    await using inner = await startProxy('client', ['--postgres', '--target', outer.address, ...client]);
    const connection = `${plain(inner.address)} sslmode=disable user=app dbname=postgres`;
    const env = { PATH: process.env['PATH'], HOME: files.path };
    const query = spawn('psql', [connection, '-Xc', 'select pg_sleep(60)'], { env });
    let said = '';
    query.stderr.on('data', (bytes: Buffer) => (said += bytes.toString()));
    const ended = once(query, 'close');
    const running = `select count(*) from pg_stat_activity where query = 'select pg_sleep(60)'`;
    await vi.waitFor(
      async () => {
        expect(await psql(`${plain(inner.address)} sslmode=disable`, running)).toBe('1');
      },
      { timeout: 20_000 },
    );
    query.kill('SIGINT');
    await ended;
    expect(said).toContain('canceling statement due to user request');
  });

  it('take no cancellation in plain from the network', async (context) => {
    needsPostgres(context);
    await using proxy = await beforePostgres('--postgres', '--allow-cn', 'app');
    const socket = connect(Number(proxy.address.split(':')[1]), '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(Buffer.from('0000001004d2162e0000000100000002', 'hex'));
    await once(socket.resume(), 'close');
    await proxy.running.says(/the client began a cancellation without TLS/);
    expect(proxy.running.output.toString()).not.toContain('"event":"open"');
  });

  it('give up on a PostgreSQL without TLS', async (context) => {
    needsPostgres(context);
    await using bare = await startPostgres();
    await using proxy = await startProxy('client', [
      '--postgres',
      '--target',
      `localhost:${bare.port}`,
      '--ca',
      files.at('ca.crt'),
    ]);
    expect(await psql(`${plain(proxy.address)} sslmode=disable`)).toContain(
      "FATAL:  the proxy can't pass this connection on: the PostgreSQL server doesn't offer TLS",
    );
    await proxy.running.says(/the PostgreSQL server doesn't offer TLS/);
  });
});
