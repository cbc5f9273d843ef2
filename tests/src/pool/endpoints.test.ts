/** Several endpoints, names that move, and credentials that change. */
import dns from 'node:dns/promises';
import { syncBuiltinESMExports } from 'node:module';
import { Duplex, PassThrough } from 'node:stream';
import {
  createCredentials,
  lines,
  listen,
  raw,
  type SecureConnection,
  type SecureServer,
} from '@knsock/core';
import { ConnectionPool } from '@knsock/pool';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createWorld, portOf } from '../support/world.js';
import { Changing } from './changing.js';
import { Stage } from './stage.js';
import { Wire } from './wire.js';

let stage: Stage;

beforeEach(async () => {
  stage = await Stage.build();
});

afterEach(async () => {
  await stage[Symbol.asyncDispose]();
  vi.restoreAllMocks();
  syncBuiltinESMExports();
});

it('sessions are resumed at each endpoint', async () => {
  const pool = stage.pool([await stage.serve(), await stage.serve()], { max: 2, min: 2 });
  const resumedEverywhere = async () => {
    const leases = [await pool.acquire(), await pool.acquire()];
    const ports = leases.map(({ value }) => value.remote?.port);
    const resumed = leases.map(({ value }) => value.tls.resumed);
    for (const lease of leases) lease.release();
    expect(new Set(ports).size).toBe(2);
    return resumed;
  };
  await pool.ready();
  expect(await resumedEverywhere()).toEqual([false, false]);
  pool.softEvict();
  await expect.poll(() => pool.stats()).toMatchObject({ idle: 2, destroyed: 2 });
  expect(await resumedEverywhere()).toEqual([true, true]);
});

it('of 64 connections opened at once to a known endpoint each is resumed', async () => {
  const pool = stage.pool([await stage.serve()], { max: 64 });
  await pool.ready();
  // First there are two tickets for all of them, then more than enough.
  for (const round of ['few tickets', 'many']) {
    pool.softEvict();
    await expect.poll(() => pool.stats().total).toBe(0);
    const leases = await Promise.all(Array.from({ length: 64 }, () => pool.acquire()));
    expect(leases.filter(({ value }) => value.tls.resumed).length, round).toBe(64);
    for (const lease of leases) lease.release();
  }
});

it('an endpoint that is back in a full pool costs the others one connection and gets it', async () => {
  const servers = [await stage.serve(), await stage.serve(), await stage.serve()];
  const pool = stage.pool(servers, { max: 3, min: 3 });
  const spread = () => pool.stats().endpoints.map(({ connections }) => connections);
  await expect.poll(spread).toEqual([1, 1, 1]);
  const [first] = servers as [SecureServer];
  const port = portOf(first);
  await first.close();
  await expect.poll(() => pool.stats().endpoints[0]?.share).toBe(0);
  await expect.poll(() => pool.stats()).toMatchObject({ idle: 3, creating: 0 });
  await stage.serve(undefined, { port });
  const { created } = pool.stats();
  while (spread()[0] === 0) await pool.request('x');
  expect(spread()).toEqual([1, 1, 1]);
  expect(pool.stats().created - created).toBe(1);
});

it('a name is looked up again for every connection', async () => {
  const { chain, key } = await stage.world.authority.issue({
    kind: 'server',
    names: ['moving.test'],
    days: 1,
  });
  const credentials = createCredentials({ cert: chain, key, ca: stage.world.authority.root });
  const first = await stage.serve(() => 'first', { credentials });
  await stage.serve(() => 'second', { credentials, host: '127.0.0.2', port: portOf(first) });
  let address = '127.0.0.1';
  pretend(() => address);
  const endpoints = [{ host: 'moving.test', port: portOf(first) }];
  const pool = stage.keep(new ConnectionPool({ endpoints, credentials: stage.world.client }));
  expect(String(await pool.request('where?'))).toBe('first');
  address = '127.0.0.2';
  expect(String(await pool.request('still where?'))).toBe('first');
  pool.softEvict();
  expect(String(await pool.request('and now?'))).toBe('second');
});

/** A resolver controlled by the test: the one part of the environment that a test can't provide for real. */
function pretend(address: () => string): void {
  const answer = () => Promise.resolve([{ address: address(), family: 4 }]);
  vi.spyOn(dns, 'lookup').mockImplementation(answer as unknown as typeof dns.lookup);
  syncBuiltinESMExports();
}

it('credentials that the server refuses cost no connection that works, and good ones replace them all', async () => {
  const source = new Changing(stage.world.client);
  const server = await stage.serve(undefined, { clientCertificates: 'require' });
  const pool = stage.pool([server], { credentials: source, max: 2, backOff: { first: 10, longest: 10 } });
  await pool.request('x');
  const stranger = await createWorld('Another CA');
  source.change(createCredentials({ ...(await strangersPair(stranger)), ca: stage.world.authority.root }));
  await expect
    .poll(() => pool.stats().lastFailure?.error)
    .toMatchObject({ code: expect.stringMatching(/KNSOCK/) as string });
  for (let turn = 0; turn < 5; turn += 1) expect(String(await pool.request(`${turn}`))).toBe(`${turn}`);
  source.change(await stage.clientNamed('next'));
  await expect.poll(() => names(server)).toEqual(['next']);
  expect(String(await pool.request('after'))).toBe('after');
});

it('a connection that was being opened when credentials changed is replaced by one with the new ones', async () => {
  const source = new Changing(stage.world.client);
  const server = await stage.serve(undefined, { clientCertificates: 'require' });
  const wire = stage.keep(await Wire.to(portOf(server)));
  wire.acceptDelay = 200;
  const endpoints = [{ host: '127.0.0.1', port: wire.port }];
  const pool = stage.keep(new ConnectionPool({ endpoints, credentials: source }));
  const asked = pool.request('x');
  await vi.waitFor(() => expect(wire.accepted).toBe(1));
  source.change(await stage.clientNamed('next'));
  expect(String(await asked)).toBe('x');
  await expect.poll(() => names(server)).toEqual(['next']);
  expect(pool.stats()).toMatchObject({ created: 2, destroyed: 1 });
});

async function strangersPair({ authority }: Awaited<ReturnType<typeof createWorld>>) {
  const { chain: cert, key } = await authority.issue({
    kind: 'client',
    names: ['stranger.example'],
    days: 1,
  });
  return { cert, key };
}

function names(server: Awaited<ReturnType<Stage['serve']>>): (string | undefined)[] {
  return [...server.connections()].map(({ peer }) => peer?.commonNames[0]);
}

it.each<[string, { framing?: ReturnType<typeof lines> }, (connection: SecureConnection) => unknown]>([
  ['closes', {}, (connection) => void connection.close()],
  ['destroys', {}, (connection) => connection.destroy()],
  ['closes, on lines,', { framing: lines() }, (connection) => void connection.close()],
])(
  'an endpoint that %s each connection at once is set aside, and others are used',
  async (_, framing, end) => {
    const place = { port: 0, host: '127.0.0.1', credentials: stage.world.server, onError: () => undefined };
    const ending = stage.keep(await listen({ ...place, ...framing }, end as never));
    const good = stage.keep(await listen({ ...place, ...framing }, () => undefined));
    const pool = stage.pool([ending, good] as SecureServer[], {
      ...(framing as object),
      min: 2,
      max: 2,
      onError: () => undefined,
    });
    await expect
      .poll(() => pool.stats().endpoints, { timeout: 10_000 })
      .toMatchObject([
        { share: 0, lastError: expect.any(Error) as Error },
        { connections: 2, share: 1 },
      ]);
    const lease = await pool.acquire();
    expect(lease.value.remote?.port).toBe(portOf(good));
    lease.release();
  },
);

it.each<[string, object, (connection: SecureConnection) => unknown]>([
  ['closes', { framing: lines() }, (connection) => connection.close()],
  ['destroys', { framing: lines() }, (connection) => connection.destroy()],
  ['destroys, with an error,', {}, (connection) => connection.destroy(new Error('not needed'))],
  ['destroys the socket of', { framing: lines() }, (connection) => connection.socket.destroy()],
  ['ends the stream of', { framing: raw() }, (connection) => connection.stream().resume().end()],
  ['destroys the stream of', { framing: raw() }, (connection) => connection.stream().destroy()],
  ['relays an ended stream to', { framing: raw() }, (connection) => connection.relay(emptied(null))],
  [
    'relays a destroyed stream to',
    { framing: raw() },
    (connection) => connection.relay(emptied(new Error('broken'))).catch(() => undefined),
  ],
])('an endpoint stays in use where the program %s an unused connection itself', async (_, framing, end) => {
  const pool = stage.pool([await quiet(framing)], { ...framing, max: 1, onError: () => undefined });
  for (const destroyed of [1, 2, 3]) {
    const lease = await pool.acquire();
    await end(lease.value);
    await lease.value.closed;
    lease.release();
    await expect.poll(() => pool.stats().destroyed).toBe(destroyed);
  }
  expect(pool.stats().endpoints).toMatchObject([{ share: 1, lastError: undefined }]);
});

type End = (at: { wire: Wire; connection: SecureConnection }) => unknown;

it.each<[string, string, End, (connection: SecureConnection) => unknown]>([
  ['closes', 'streams', ({ connection }) => void connection.close(), endsInTurn],
  ['resets', 'streams', ({ wire }) => wire.cut(), endsInTurn],
  ['closes', 'relays', ({ connection }) => void connection.close(), relays],
  ['resets', 'relays', ({ wire }) => wire.cut(), relays],
  ['destroys', 'looks at the socket of', ({ connection }) => connection.destroy(), ({ socket }) => socket],
])(
  'an endpoint that %s a connection is set aside also where the program %s it',
  async (_, _how, end, take) => {
    let accept: (connection: SecureConnection) => void = () => undefined;
    const accepted = new Promise<SecureConnection>((resolve) => (accept = resolve));
    const server = await quiet({ framing: raw() }, (connection) => {
      accept(connection);
      return connection.closed;
    });
    const wire = stage.keep(await Wire.to(portOf(server)));
    const options = { credentials: stage.world.client, framing: raw(), max: 1, onError: () => undefined };
    const pool = stage.keep(
      new ConnectionPool({ ...options, endpoints: [{ host: '127.0.0.1', port: wire.port }] }),
    );
    const lease = await pool.acquire();
    void take(lease.value);
    end({ wire, connection: await accepted });
    await lease.value.closed;
    lease.release();
    await expect
      .poll(() => pool.stats().endpoints)
      .toMatchObject([{ share: 0, lastError: expect.any(Error) as Error }]);
  },
);

function endsInTurn(connection: SecureConnection) {
  const stream = connection.stream();
  stream.on('end', () => stream.end()).on('error', () => undefined);
}

function relays(connection: SecureConnection) {
  connection.relay(new PassThrough()).catch(() => undefined);
}

/** A server whose handler sends nothing. */
async function quiet(framing: object, handler: (connection: SecureConnection) => unknown = () => undefined) {
  const place = { port: 0, host: '127.0.0.1', credentials: stage.world.server, onError: () => undefined };
  return stage.keep(await listen({ ...place, ...framing }, handler as never));
}

/** A stream without a byte that ends, or fails. */
function emptied(error: Error | null): Duplex {
  return new Duplex({
    read() {
      if (error === null) this.push(null);
      else this.destroy(error);
    },
    write: (_chunk, _encoding, done) => {
      done();
    },
  });
}
