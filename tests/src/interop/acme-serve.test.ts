/** `knsock serve --acme`, and a program's server, certified by pebble on the very port that demands client certificates. */
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { acmeCredentials } from '@knsock/certs/acme';
import { connect, createCredentials, lines, serve, type Credentials } from '@knsock/core';
import { beforeEach, expect, it } from 'vitest';
import { knsock, startKnsock, type Running } from '../support/command.js';
import { createWorld, type World } from '../support/world.js';
import { arrangeAcme } from './acme-arrangement.js';
import { startHaproxy } from './haproxy.js';
import type { Pebble } from './pebble.js';
import { freePort } from './program.js';
import { needsTools } from './tools.js';

const NAME = 'db.example';

const acme = arrangeAcme();
let world: World;
let clients: string;
beforeEach(async () => {
  world = await createWorld();
  clients = join(acme.folder, 'clients.crt');
  await writeFile(clients, world.authority.root);
});

/** Pebble, and the CA of its directory as a file. */
async function pebble(...how: Parameters<typeof acme.pebble>): Promise<Pebble> {
  const started = await acme.pebble(...how);
  await writeFile(join(acme.folder, 'directory.crt'), started.ca);
  return started;
}

/** The flags, but for the agreement. */
function flagsFor({ directory, tlsPort }: Pebble): string[] {
  return [
    ...['serve', ...acmeFlags({ directory }), '--host', '127.0.0.1', '--port', String(tlsPort)],
    ...['--ca', clients, '--framing', 'lines', '--json'],
  ];
}

function acmeFlags({ directory }: Pick<Pebble, 'directory'>): string[] {
  const ca = join(acme.folder, 'directory.crt');
  return [
    '--acme',
    NAME,
    '--acme-dir',
    join(acme.folder, 'acme'),
    '--acme-directory',
    directory,
    '--acme-ca',
    ca,
  ];
}

function started(args: readonly string[]): Running {
  return acme.keep(startKnsock(args));
}

/** A client's credentials, which trust pebble's CA. */
async function trusting(
  server: Pebble,
  { material }: Credentials = createCredentials({}),
): Promise<Credentials> {
  return createCredentials({ ...material, ca: await server.root() });
}

function visit({ tlsPort: port }: Pebble, credentials: Credentials) {
  // A resumed session would show the certificate that it began with.
  const options = { servername: NAME, framing: lines(), credentials, resume: false };
  return connect({ host: '127.0.0.1', port, ...options });
}

it('gets, shows and renews its certificate on the port that demands client certificates', async (context) => {
  const server = await pebble(context, { validity: 12 });
  const command = started([...flagsFor(server), '--acme-agree', '--status', '127.0.0.1:0']);
  const [, status = ''] = await command.says(/"event":"listening".*"status":"([^"]+)"/);

  const known = await trusting(server, world.client);
  await using first = await visit(server, known);
  expect((await first.request('one')).toString()).toBe('one');
  const before = first.peer?.serial;
  const stranger = visit(server, await trusting(server)).then((connection) => connection.request('two'));
  await expect(stranger).rejects.toMatchObject({ code: expect.stringMatching(/^KNSOCK_/) as string });

  await command.says(/"event":"validation","from":"[^"]+","name":"db\.example"/);
  await command.says(/(?:"event":"certificate"[^]*){2}/);
  await using second = await visit(server, known);
  expect((await second.request('three')).toString()).toBe('three');
  expect(second.peer?.serial).not.toBe(before);
  expect((await first.request('still open')).toString()).toBe('still open');

  const stats = async () => (await (await fetch(`http://${status}/stats`)).json()) as Record<string, number>;
  expect(await stats()).toMatchObject({ admitted: 2, refusedPeers: 1 });
  // On a slow machine the first certificate is renewed before the server listens.
  await expect.poll(async () => (await stats())['validations'], { timeout: 30_000 }).toBeGreaterThan(0);
  command.kill('SIGHUP');
  await command.says(/"event":"reloaded"/);
  command.kill('SIGTERM');
  expect(await command.ended()).toMatchObject({ code: 0 });
});

it('without --acme-agree it says where the terms are, and makes no account', async (context) => {
  const server = await pebble(context);
  const { code, stdout, stderr } = await knsock(flagsFor(server));
  expect(code).toBe(2);
  expect(stdout + stderr).toMatch(/terms of service to agree to: data:text\/plain/);
  expect(stdout + stderr).toMatch(/--acme-agree/);
  expect(stdout + stderr).toMatch(/KNSOCK_ACME_TERMS/);
});

it('by http-01 it may listen on any port, or on a socket of the file system', async (context) => {
  const server = await pebble(context);
  const [, ...rest] = flagsFor(server).filter(
    (word) => !['--port', String(server.tlsPort), '--host', '127.0.0.1'].includes(word),
  );
  const http = ['--acme-challenge', 'http-01', '--acme-http-port', String(server.httpPort)];
  const place = join(acme.folder, 'socket');
  const command = started(['serve', ...rest, ...http, '--acme-agree', '--unix', place]);
  await command.says(/"event":"listening"/);
  await using connection = await connect({
    path: place,
    servername: NAME,
    framing: lines(),
    credentials: await trusting(server, world.client),
  });
  expect((await connection.request('hello')).toString()).toBe('hello');
});

it("a failed validation ends it with the CA's reason, and nothing listens", async (context) => {
  const server = await pebble(context);
  const port = await freePort();
  const flags = flagsFor(server).map((word) => (word === String(server.tlsPort) ? String(port) : word));
  const { code, stdout, stderr } = await knsock([...flags, '--acme-agree']);
  expect(code).toBe(22);
  expect(stdout + stderr).toMatch(/KNSOCK_ACME_VALIDATION/);
  expect(stdout).toContain(
    `port 443 of ${NAME} must be reachable from the CA, and lead to port ${port} of this machine`,
  );
  expect(stderr).toMatch(/hint: .*Open port 443 .*\(the command: --port\)/);
  expect(stdout + stderr).not.toMatch(/"event":"listening"/);
});

it("a program's server renews on the port that demands client certificates", async (context) => {
  const server = await pebble(context);
  await using credentials = await acmeCredentials({
    domains: [NAME, 'www.example'],
    directory: server.directory,
    directoryCa: server.ca,
    agree: true,
    challenge: 'tls-alpn-01',
    dir: join(acme.folder, 'acme'),
    caFile: clients,
    listen: { host: '127.0.0.1', port: server.tlsPort },
  });
  await using listening = await serve(
    { port: server.tlsPort, host: '127.0.0.1', framing: lines(), credentials, clientCertificates: 'require' },
    ({ payload, peer }) => `${payload.toString()} ${peer?.commonNames[0] ?? ''}`,
  );
  const known = await trusting(server, world.client);
  await using before = await visit(server, known);
  await credentials.renew();
  await using after = await visit(server, known);
  expect((await after.request('hello')).toString()).toBe('hello app');
  expect(after.peer?.serial).not.toBe(before.peer?.serial);
  const { validations, admitted, failedHandshakes } = listening.stats();
  expect({ admitted, failedHandshakes }).toEqual({ admitted: 2, failedHandshakes: 0 });
  expect(validations).toBeGreaterThanOrEqual(2);
});

it.for(['send-proxy', 'send-proxy-v2'] as const)(
  'is certified behind a proxy that sends the PROXY protocol, at first and again: %s',
  async (sent, context) => {
    needsTools(context, 'haproxy');
    const own = await freePort();
    const haproxy = acme.keep(await startHaproxy(own, { server: sent }));
    const server = await pebble(context, {
      validity: 12,
      ports: { tls: haproxy.port, http: await freePort() },
    });
    const flags = flagsFor(server).map((word) => (word === String(haproxy.port) ? String(own) : word));
    const command = started([...flags, '--acme-agree', '--proxy-protocol-from', '127.0.0.1']);
    await command.says(/"event":"validation"[^]*"event":"listening"/);
    await using first = await visit(server, await trusting(server, world.client));
    expect((await first.request('one')).toString()).toBe('one');
    await command.says(/"event":"listening"[^]*"event":"validation"[^]*"event":"certificate"/);
  },
);

it('refuses a validation from where no client may come, and says so', async (context) => {
  const server = await pebble(context);
  const { code, stdout } = await knsock([
    ...flagsFor(server),
    '--acme-agree',
    '--allow-from',
    '192.0.2.0/24',
  ]);
  expect(code).toBe(22);
  expect(stdout).toMatch(/"event":"refused-socket"[^\n]*"limit":"denied"/);
  expect(stdout).not.toMatch(/"event":"listening"/);
});

it('answers a CA where PostgreSQL clients ask for TLS in their own way, too', async (context) => {
  const server = await pebble(context, { validity: 12 });
  const target = `127.0.0.1:${await freePort()}`;
  const place = ['--listen', `127.0.0.1:${server.tlsPort}`, '--target', target, '--allow-all', '--postgres'];
  const command = started(['proxy', 'server', ...acmeFlags(server), '--acme-agree', ...place, '--json']);
  await command.says(/"event":"listening"[^]*"event":"validation"[^]*"event":"certificate"/);
});

it('stands before a plain service: knsock proxy server --acme', async (context) => {
  const server = await pebble(context, { validity: 12 });
  const service = createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
  await once(service, 'listening');
  acme.keep({ [Symbol.asyncDispose]: () => Promise.resolve(void service.close()) });
  const { port } = service.address() as AddressInfo;
  const place = ['--listen', `127.0.0.1:${server.tlsPort}`, '--target', `127.0.0.1:${port}`, '--allow-all'];
  const command = started([
    'proxy',
    'server',
    ...acmeFlags(server),
    '--acme-agree',
    ...place,
    '--ca',
    clients,
    '--json',
  ]);
  await command.says(/"event":"listening"/);
  const known = await trusting(server, world.client);
  await using first = await visit(server, known);
  await first.send('one');
  expect(String(await first.receive())).toBe('one');
  const before = first.peer?.serial;
  await command.says(/"event":"listening"[^]*"event":"validation"[^]*"event":"certificate"/);
  await using second = await visit(server, known);
  await second.send('two');
  expect(String(await second.receive())).toBe('two');
  expect(second.peer?.serial).not.toBe(before);
  await expect(visit(server, await trusting(server)).then((open) => open.receive())).rejects.toThrow();
  command.kill('SIGHUP');
  await command.says(/"event":"reloaded"/);
  await Promise.all([first.close(), second.close()]);
  command.kill('SIGTERM');
  expect(await command.ended()).toMatchObject({ code: 0 });
});

it('binds the account to an external one whose key is in a file, and certifies the kind of key that it names', async (context) => {
  const hmacKey = 'zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W';
  const server = await pebble(context, { externalKeys: { 'kid-1': hmacKey } });
  const none = await knsock([...flagsFor(server), '--acme-agree']);
  expect(none).toMatchObject({ code: 22, stdout: expect.stringContaining('--acme-eab-kid') as unknown });
  const file = join(acme.folder, 'eab.key');
  const eab = ['--acme-eab-kid', 'kid-1', '--acme-eab-key-file', file];
  await writeFile(file, 'no key!\n');
  const wrong = await knsock([...flagsFor(server), '--acme-agree', ...eab]);
  expect(wrong).toMatchObject({ code: 2, stdout: expect.stringContaining('--acme-eab-key-file') as unknown });
  await writeFile(file, `${hmacKey}\n`);
  const command = started([...flagsFor(server), '--acme-agree', ...eab, '--acme-key-type', 'p384']);
  await command.says(/"event":"listening"/);
  await using client = await visit(server, await trusting(server, world.client));
  expect(client.peer?.certificate.publicKeyInfo.kind).toMatchObject({ curve: '1.3.132.0.34' });
});
