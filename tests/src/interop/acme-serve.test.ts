/** `knsock serve --acme`, and a program's server, certified by pebble on the very port that demands client certificates. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { acmeCredentials } from '@knsock/certs/acme';
import { connect, createCredentials, lines, serve, type Credentials } from '@knsock/core';
import { afterEach, beforeEach, expect, it, type TestContext } from 'vitest';
import { knsock, startKnsock, type Running } from '../support/command.js';
import { createWorld, type World } from '../support/world.js';
import { startPebble, type Pebble, type PebbleOptions } from './pebble.js';
import { freePort } from './program.js';
import { needsTools } from './tools.js';

const NAME = 'db.example';

let folder: string;
let world: World;
let clients: string;
const running: AsyncDisposable[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'knsock-acme-serve-'));
  world = await createWorld();
  clients = join(folder, 'clients.crt');
  await writeFile(clients, world.authority.root);
});
afterEach(async () => {
  for (const one of running.splice(0).reverse()) await one[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

async function pebble(context: TestContext, options: Partial<PebbleOptions> = {}): Promise<Pebble> {
  needsTools(context, 'pebble', 'pebble-challtestsrv');
  const started = await startPebble({ folder, ...options });
  running.push(started);
  await writeFile(join(folder, 'directory.crt'), started.ca);
  return started;
}

/** The flags, but for the agreement. */
function flagsFor({ directory, tlsPort }: Pebble): string[] {
  return [
    'serve',
    ...['--acme', NAME, '--acme-dir', join(folder, 'acme'), '--acme-directory', directory],
    ...['--acme-ca', join(folder, 'directory.crt'), '--host', '127.0.0.1', '--port', String(tlsPort)],
    ...['--ca', clients, '--framing', 'lines', '--json'],
  ];
}

function started(args: readonly string[]): Running {
  const command = startKnsock(args);
  running.push(command);
  return command;
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
  const before = first.peer?.serialNumber;
  const stranger = visit(server, await trusting(server)).then((connection) => connection.request('two'));
  await expect(stranger).rejects.toMatchObject({ code: expect.stringMatching(/^KNSOCK_/) as string });

  await command.says(/"event":"validation","from":"[^"]+","name":"db\.example"/);
  await command.says(/(?:"event":"certificate"[^]*){2}/);
  await using second = await visit(server, known);
  expect((await second.request('three')).toString()).toBe('three');
  expect(second.peer?.serialNumber).not.toBe(before);
  expect((await first.request('still open')).toString()).toBe('still open');

  const stats = (await (await fetch(`http://${status}/stats`)).json()) as Record<string, number>;
  expect(stats).toMatchObject({ admitted: 2, refusedPeers: 1 });
  expect(stats['validations']).toBeGreaterThan(0);
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
  const place = join(folder, 'socket');
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
    dir: join(folder, 'acme'),
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
  expect(after.peer?.serialNumber).not.toBe(before.peer?.serialNumber);
  const { validations, admitted, failedHandshakes } = listening.stats();
  expect({ admitted, failedHandshakes }).toEqual({ admitted: 2, failedHandshakes: 0 });
  expect(validations).toBeGreaterThanOrEqual(2);
});
