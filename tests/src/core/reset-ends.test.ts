/**
 * Ends that an end of the stream couldn't tell: on framings without ids, and where raw bytes were taken over, a side that breaks
 * off sends an alert or a reset, so that the other isn't left waiting and takes nothing incomplete for complete.
 */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connect as connectTls, type SecureVersion } from 'node:tls';
import {
  connect,
  json,
  lengthPrefixed,
  lines,
  listen,
  raw,
  serve,
  type Framing,
  type SecureConnection,
  type SecureServer,
} from '@knsock/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWorld, portOf, type World } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});

/** Far below `drainTimeout`, which no case may need; far above what a busy machine takes. */
const SOON = 8_000;

const local = () => ({ port: 0, host: '127.0.0.1', credentials: world.server, onError: () => undefined });
const to = (server: Parameters<typeof portOf>[0]) => ({
  host: 'localhost',
  port: portOf(server),
  credentials: world.anonymous,
  onError: () => undefined,
});

/** A promise, and what settles it. */
function later<T>() {
  let settle!: (value: T) => void;
  const promise = new Promise<T>((resolve) => (settle = resolve));
  return { promise, settle };
}

const framings: readonly [string, () => Framing<never, never>][] = [
  ['lines', lines as never],
  ['json', (() => json(lines())) as never],
  ['length-prefixed', lengthPrefixed as never],
];

/** Each asks for one answer, and gives it up once the server works on it. */
const waysToLeave: Record<
  string,
  (connection: SecureConnection, started: Promise<unknown>) => Promise<unknown>
> = {
  'its timeout': (connection) => connection.request('x', { timeout: 200 }),
  'its signal': (connection, started) => {
    const controller = new AbortController();
    void started.then(() => {
      controller.abort();
    });
    return connection.request('x', { signal: controller.signal });
  },
  'destroy()': (connection, started) => {
    void started.then(() => {
      connection.destroy();
    });
    return connection.request('x');
  },
};

describe.each(framings)('on %s', (_, framing) => {
  it.each(Object.entries(waysToLeave))(
    'a client that gives up a request by %s frees the server of it at once',
    { timeout: SOON },
    async (_way, leave) => {
      const started = later<AbortSignal>();
      await using server = await serve({ ...local(), framing: framing() }, ({ signal }) => {
        started.settle(signal);
        return new Promise<never>(() => undefined);
      });
      const client = (await connect({ ...to(server), framing: framing() })) as unknown as SecureConnection;
      await expect(leave(client, started.promise)).rejects.toThrow();
      const signal = await started.promise;
      if (!signal.aborted) await once(signal, 'abort');
      expect((await client.closed).clean).not.toBe(true);
      await expect.poll(() => server.stats().connections, { timeout: SOON }).toBe(0);
    },
  );
});

describe('a stream', () => {
  it('that a server cuts off at its deadline fails at its client', { timeout: SOON }, async () => {
    const taken = later<undefined>();
    const server = await listen({ ...local(), framing: raw() }, async (connection) => {
      const stream = connection.stream();
      await once(stream, 'data');
      taken.settle(undefined);
      await connection.closed;
    });
    const client = await connect({ ...to(server), framing: raw() });
    const stream = client.stream();
    stream.resume();
    stream.on('error', () => undefined);
    stream.write('hello');
    await taken.promise;
    await server.close({ deadline: 50 });
    expect(await client.closed).toMatchObject({ clean: false, error: { code: 'KNSOCK_CONNECTION_RESET' } });
  });

  it('that fails before its end is not taken for a complete one', { timeout: SOON }, async () => {
    const server = await listen({ ...local(), framing: raw() }, async (connection) => {
      const stream = connection.stream();
      stream.write('a part');
      await once(stream, 'data');
      stream.destroy(new Error('the source broke'));
    });
    const client = await connect({ ...to(server), framing: raw() });
    const stream = client.stream();
    const failed = once(stream, 'error');
    await once(stream, 'data');
    stream.write('go on');
    await failed;
    expect((await client.closed).clean).toBe(false);
    await server.close();
  });

  it(
    'that ended its own direction lets it arrive, and is destroyed without a reset',
    { timeout: SOON },
    async () => {
      const server = await listen({ ...local(), framing: raw() }, async (connection) => {
        const stream = connection.stream();
        stream.end('complete');
        await once(stream, 'finish');
        stream.destroy();
      });
      const client = await connect({ ...to(server), framing: raw() });
      const stream = client.stream();
      let heard = '';
      for await (const chunk of stream) heard += String(chunk);
      expect(heard).toBe('complete');
      stream.end();
      expect((await client.closed).error).toBeUndefined();
      await server.close();
    },
  );

  it.each(['client', 'server'] as const)(
    "that is written no more doesn't keep the %s, whose program closes, until the deadline",
    { timeout: SOON },
    async (who) => {
      const closing = later<SecureConnection>();
      const server = await listen({ ...local(), framing: raw() }, async (connection) => {
        const stream = connection.stream();
        if (who === 'client') stream.pipe(stream);
        else {
          stream.write('last words');
          closing.settle(connection);
        }
        await connection.closed;
      });
      const client = await connect({ ...to(server), framing: raw() });
      const stream = client.stream();
      if (who === 'client') {
        stream.resume();
        stream.write('last words');
        closing.settle(client);
      } else stream.pipe(stream);
      await (await closing.promise).close();
      expect((await client.closed).error).toBeUndefined();
      await server.close();
    },
  );
});

describe.each(['TCP', 'a Unix socket'] as const)('over %s', (kind) => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'knsock-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const open = () => ({ credentials: world.server, onError: () => undefined });
  let places = 0;
  const place = () =>
    kind === 'TCP' ? { port: 0, host: '127.0.0.1' } : { path: path.join(folder, String((places += 1))) };
  const placeOf = ({ address }: SecureServer) =>
    'path' in address ? { path: address.path } : { port: address.port, host: '127.0.0.1' };

  describe.each<SecureVersion>(['TLSv1.3', 'TLSv1.2'])('%s', (maxVersion) => {
    it.each<[string, number, 'busy' | 'idle']>([
      ['before anything', 0, 'idle'],
      ['before anything, to a busy program', 0, 'busy'],
      ['behind a part of it', 5, 'idle'],
      ['amid megabytes', 8_000_000, 'idle'],
    ])('a stream that is broken off %s is no complete one for a client of Node', async (_, bytes, busy) => {
      await using server = await listen({ ...open(), ...place(), framing: raw() }, async (connection) => {
        const stream = connection.stream();
        stream.on('error', () => undefined);
        await once(stream, 'data');
        stream.write(Buffer.alloc(bytes));
        stream.destroy(new Error('the source broke'));
      });
      const client = connectTls({ ...placeOf(server), rejectUnauthorized: false, maxVersion });
      await once(client, 'secureConnect');
      const ended = once(client.resume(), 'end');
      client.write('go on');
      const since = performance.now();
      if (busy === 'busy') while (performance.now() - since < 50);
      await expect(ended).rejects.toThrow(/SSL alert number/);
    });
  });

  it('a client that gives a request up frees the server of it', { timeout: SOON }, async () => {
    const started = later<AbortSignal>();
    await using server = await serve({ ...open(), ...place(), framing: lines() }, ({ signal }) => {
      started.settle(signal);
      return new Promise<never>(() => undefined);
    });
    const client = await connect({
      ...placeOf(server),
      expectedName: 'localhost',
      credentials: world.anonymous,
      framing: lines(),
      onError: () => undefined,
    });
    await expect(client.request('x', { timeout: 200 })).rejects.toThrow();
    const signal = await started.promise;
    if (!signal.aborted) await once(signal, 'abort');
    expect(await client.closed).toMatchObject({ clean: false });
  });
});
