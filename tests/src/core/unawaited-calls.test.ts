/** A failing call that isn't awaited is no unhandled rejection: it is reported once to `onError`. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import {
  connect,
  lines,
  listen,
  raw,
  type ErrorContext,
  type ListenOptions,
  type SecureConnection,
} from '@knsock/core';
import { startSslTcpServer } from '@knsock/core/kn-sock';
import { ConnectionPool, Pool } from '@knsock/pool';
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createCertificateFolder } from '../support/certificate-folder.js';
import { tlsPeer } from '../support/hand-made-peer.js';
import { createWorld, portOf, type World } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});

const onError = vi.fn<(error: Error, context: ErrorContext) => void>();
beforeEach(() => {
  onError.mockReset();
});

const turns = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

async function pair(
  options: Partial<ListenOptions> = {},
): Promise<{ client: SecureConnection } & AsyncDisposable> {
  const server = await listen(
    { port: 0, host: '127.0.0.1', credentials: world.server, onError: () => undefined, ...options },
    (connection) => {
      if (options.framing === undefined) connection.onRequest(() => new Promise(() => undefined));
    },
  );
  const client = await connect({
    host: 'localhost',
    port: portOf(server),
    credentials: world.anonymous,
    onError,
    ...(options.framing !== undefined && { framing: options.framing as never }),
  });
  return {
    client,
    [Symbol.asyncDispose]: async () => {
      client.destroy();
      await server.close({ deadline: 0 });
    },
  };
}

type Call = (client: SecureConnection) => Promise<unknown>;

/** Calls that fail because of the peer, the connection's state, or what they are given. */
const failing: [string, string, Call, Partial<ListenOptions>?][] = [
  ['request', 'that times out', (c) => c.request('x', { timeout: 20 })],
  ['request', 'whose connection ends', (c) => (setImmediate(() => c.destroy()), c.request('x'))],
  ['request', 'after the end', (c) => (c.destroy(), c.request('x'))],
  ['request', 'that is too large for the peer', (c) => c.request('xx'), { maxMessageBytes: 1 }],
  ['request', 'of a wrong type', (c) => c.request(7 as never)],
  ['request', 'with a wrong option', (c) => c.request('x', { timeout: -1 })],
  ['request', 'that can\'t be encoded', (c) => c.request('a\nb'), { framing: lines() }],
  ['receive', 'that times out', (c) => c.receive({ timeout: 20 })],
  ['receive', 'beside a listener', (c) => (c.onMessage(() => undefined), c.receive())],
  ['receive', 'with a wrong option', (c) => c.receive({ timeot: 1 } as never)],
  ['receive', 'whose connection ends', (c) => (setImmediate(() => c.destroy(new Error('mine'))), c.receive())],
  ['ping', 'whose connection ends', (c) => (c.pause(), setImmediate(() => c.destroy()), c.ping())],
  ['ping', 'after the end', (c) => (c.destroy(), c.ping())],
  ['ping', 'with a wrong option', (c) => c.ping({ timeout: 'x' as never })],
  ['ping', 'on a framing without', (c) => c.ping(), { framing: lines() }],
  ['send', 'after the end', (c) => (c.destroy(), c.send('x'))],
  ['send', 'of a wrong type', (c) => c.send(7 as never)],
  ['relay', 'on another framing', (c) => c.relay(c)],
  ['relay', 'that breaks off', (c) => (setImmediate(() => c.destroy(new Error('mine'))), c.relay(c)), { framing: raw() }],
]; // prettier-ignore

describe.each(failing)('%s %s', (_name, _why, call, options) => {
  it("is reported to onError where it isn't awaited", async () => {
    await using there = await pair(options);
    void call(there.client);
    await vi.waitFor(() => expect(onError).toHaveBeenCalled());
    await turns();
    expect(onError.mock.calls.map(([, { connection }]) => connection)).toEqual([there.client]);
  });

  it('rejects, and is reported nowhere else, where it is awaited', async () => {
    await using there = await pair(options);
    await expect(call(there.client)).rejects.toThrow();
    await turns();
    expect(onError).not.toHaveBeenCalled();
  });
});

it("a call aborted by its own signal isn't reported", async () => {
  await using there = await pair();
  const { client } = there;
  const signal = AbortSignal.abort(new Error('enough'));
  const later = new AbortController();
  for (const options of [{ signal }, { signal: later.signal }]) {
    void client.send('x', options);
    void client.request('x', options);
    void client.receive(options);
    void client.ping(options);
  }
  later.abort(new Error('enough'));
  await turns();
  expect(onError.mock.calls.map(([{ message }]) => message)).toEqual([]);
});

it("subscribers of a channel don't count as callers", async () => {
  const seen = vi.fn();
  subscribe('knsock:request', seen);
  try {
    await using there = await pair();
    void there.client.request('x', { timeout: 20 });
    await vi.waitFor(() => expect(onError).toHaveBeenCalledOnce());
    expect(seen).toHaveBeenCalledOnce();
  } finally {
    unsubscribe('knsock:request', seen);
  }
});

it('calls that end a connection or a server never fail, awaited or not', async () => {
  const server = await listen({ port: 0, credentials: world.server, onError }, () => undefined);
  await using there = await pair();
  there.client.destroy(new Error('mine'));
  void there.client.close();
  void there.client.close({ deadline: 0 });
  void server.close();
  await server.close();
  await there.client.close();
  expect(onError).not.toHaveBeenCalled();
});

it("sendall and drain of kn-sock's handlers, which don't wait, report to onError what was not sent", async () => {
  await using folder = await createCertificateFolder();
  let tried!: () => void;
  const done = new Promise<void>((resolve) => (tried = resolve));
  await using server = await startSslTcpServer(
    0,
    (_data, _addr, connection) => {
      connection.destroy();
      void connection.sendall('late');
      void connection.drain();
      tried();
    },
    { certfile: folder.at('server.crt'), keyfile: folder.at('server.key'), host: '127.0.0.1', onError },
  );
  const client = await tlsPeer(portOf(server));
  client.write('x');
  await done;
  await vi.waitFor(() => expect(onError).toHaveBeenCalledOnce());
});

describe('a pool', () => {
  const fails = () => Promise.reject(new Error('mine'));
  const boom = (): never => {
    throw new Error('mine');
  };

  it.each([
    ['acquire', (pool: Pool<number>) => pool.acquire({ timeout: 20 })],
    ['acquire at once', (pool: Pool<number>) => pool.acquire({ timeout: 0 })],
    ['acquire with a wrong option', (pool: Pool<number>) => pool.acquire({ timeout: -1 })],
    ['use', (pool: Pool<number>) => pool.use(() => undefined, { timeout: 20 })],
    ['ready', (pool: Pool<number>) => pool.ready({ timeout: 20 })],
  ])("reports to onError %s that isn't awaited", async (_, call) => {
    await using pool = new Pool<number>({ create: () => new Promise(() => undefined), onError });
    void call(pool);
    await vi.waitFor(() => expect(onError).toHaveBeenCalledOnce());
    const awaited = await call(pool).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(awaited).toBeInstanceOf(Error);
    expect(onError.mock.calls.map(([error]: unknown[]) => error)).not.toContain(awaited);
    await pool.close({ deadline: 0 });
  });

  it.each([['throws', boom], ['rejects', fails]] as const)('reports to onError a use() whose function %s', async (_, fn) => {
    await using pool = new Pool<number>({ create: () => 1, onError, leakThreshold: 60_000 });
    void pool.use(fn);
    await vi.waitFor(() => expect(onError).toHaveBeenCalledOnce());
  }); // prettier-ignore

  it.each([
    ['acquire', (pool: ConnectionPool) => pool.acquire({ timeout: 50 })],
    ['use', (pool: ConnectionPool) => pool.use(() => undefined, { timeout: 50 })],
    ['request', (pool: ConnectionPool) => pool.request('x', { timeout: 50 })],
    ['request with a wrong option', (pool: ConnectionPool) => pool.request('x', { timeout: -1 })],
    ['ready', (pool: ConnectionPool) => pool.ready()],
  ])("of connections reports to onError %s that isn't awaited", async (_, call) => {
    await using pool = new ConnectionPool({ endpoints: [{ host: '127.0.0.1', port: 1 }], onError });
    void call(pool);
    await vi.waitFor(() => expect(onError).toHaveBeenCalledOnce());
    const awaited = await call(pool).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(awaited).toBeInstanceOf(Error);
    expect(onError.mock.calls.map(([error]: unknown[]) => error)).not.toContain(awaited);
  });
});
