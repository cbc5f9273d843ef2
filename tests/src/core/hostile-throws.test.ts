/** What can't be shown, and what throws where it is looked at: thrown by a program's code, it is reported all the same. */
import { connect, lines, listen, raw, serve, type SecureConnection } from '@knsock/core';
import { serveHttp } from '@knsock/core/http';
import { ConnectionPool, Pool } from '@knsock/pool';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createWorld, portOf, type World } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});

const ends: (() => unknown)[] = [];
afterEach(async () => {
  await Promise.all(ends.splice(0).map((end) => end()));
});

const refuse = (): never => {
  throw new TypeError('hands off');
};
const withGetter = (name: string): Error => Object.defineProperty(new Error('x'), name, { get: refuse });

const thrown: Record<string, () => unknown> = {
  'a proxy whose traps throw': () =>
    new Proxy(new Error('x'), { get: refuse, has: refuse, getPrototypeOf: refuse, ownKeys: refuse }),
  'an error whose message throws': () => withGetter('message'),
  'an error whose stack throws': () => withGetter('stack'),
  'an error whose cause throws': () => withGetter('cause'),
  'an error whose code throws': () => withGetter('code'),
  'an error whose name throws': () => withGetter('name'),
  'an error whose message is a symbol': () => Object.assign(new Error('x'), { message: Symbol('x') }),
  'an object without a prototype': () => Object.create(null) as unknown,
  'a proxy that was revoked': () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  },
  'an object that no inspection survives': () => ({ [Symbol.for('nodejs.util.inspect.custom')]: refuse }),
};

const rejected = (fail: () => never) => Promise.resolve().then(fail);

type OnError = ((error: Error) => void) | undefined;
const place = (onError: OnError) => ({ port: 0, host: '127.0.0.1', credentials: world.server, onError });

async function client(server: Parameters<typeof portOf>[0], framing?: unknown): Promise<SecureConnection> {
  const quiet = { credentials: world.anonymous, onError: () => undefined, framing: framing as undefined };
  const connection = await connect({ host: '127.0.0.1', port: portOf(server), ...quiet });
  ends.push(() => connection.destroy());
  return connection;
}

async function asking(onError: OnError, framing: unknown, fail: () => unknown): Promise<void> {
  const server = await serve({ ...place(onError), framing: framing as undefined }, fail as never);
  ends.push(() => server.close({ deadline: 0 }));
  const connection = await client(server, framing);
  await connection.request('x').catch(() => undefined);
}

async function handling(
  onError: OnError,
  handler: (connection: SecureConnection) => unknown,
  framing?: unknown,
): Promise<void> {
  const server = await listen({ ...place(onError), framing: framing as undefined }, handler as never);
  ends.push(() => server.close({ deadline: 0 }));
  const connection = await client(server, framing);
  await connection.send('x').catch(() => undefined);
}

/** Code of a program's, in every place where it is called. */
const places: Record<string, (fail: () => never, onError: OnError) => Promise<unknown>> = {
  'a request handler': (fail, onError) => asking(onError, undefined, fail),
  'an asynchronous request handler': (fail, onError) => asking(onError, undefined, () => rejected(fail)),
  'a request handler without ids': (fail, onError) => asking(onError, lines(), fail),
  'a handler': (fail, onError) => handling(onError, fail),
  'an asynchronous handler': (fail, onError) => handling(onError, () => rejected(fail)),
  'an asynchronous handler on raw()': (fail, onError) => handling(onError, () => rejected(fail), raw()),
  'a listener': (fail, onError) => handling(onError, (connection) => connection.onMessage(fail)),
  'an asynchronous listener': (fail, onError) =>
    handling(onError, (connection) => connection.onMessage(() => rejected(fail))),
  'a listener of onDraining': (fail, onError) =>
    handling(onError, (connection) => {
      connection.onDraining(fail);
      void connection.close();
    }),
  'a listener of a signal': (fail, onError) =>
    handling(onError, (connection) => {
      connection.signal.addEventListener('abort', fail);
      void connection.close();
    }),
  authorize: async (fail, onError) => {
    const server = await listen(
      { ...place(onError), clientCertificates: 'request', authorize: fail },
      () => undefined,
    );
    ends.push(() => server.close({ deadline: 0 }));
    await client(server).then(
      ({ closed }) => closed,
      () => undefined,
    );
  },
  'an HTTP listener': async (fail, onError) => {
    const server = await serveHttp(place(onError), () => rejected(fail));
    ends.push(() => server.close({ deadline: 0 }));
    const connection = await client(server, raw({ alpn: 'http/1.1' }));
    connection
      .stream()
      .on('error', () => undefined)
      .end('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  },
  'destroy() of a pool': async (fail, onError) => {
    const pool = new Pool({ create: () => ({}), destroy: fail, onError });
    await pool.use(() => undefined);
    await pool.close();
  },
  'create() of a pool': async (fail, onError) => {
    const pool = new Pool({ create: fail, destroy: () => undefined, onError });
    ends.push(() => pool.close());
    await expect(pool.acquire({ timeout: 100 })).rejects.toMatchObject({ code: 'KNSOCK_POOL_TIMEOUT' });
    onError?.(new Error('its caller'));
  },
  'reusable() of a pool': async (fail, onError) => {
    const pool = new Pool({ create: () => ({}), destroy: () => undefined, reusable: fail, onError });
    await pool.use(() => Promise.reject(new Error('used up'))).catch(() => undefined);
    await pool.close();
  },
  'a use of a connection pool that nobody awaits': async (fail, onError) => {
    const server = await serve(
      place(() => undefined),
      () => '',
    );
    ends.push(() => server.close({ deadline: 0 }));
    const endpoints = [{ host: '127.0.0.1', port: portOf(server) }];
    const pool = new ConnectionPool({ endpoints, credentials: world.anonymous, onError });
    ends.push(() => pool.close());
    void pool.use(fail);
  },
};

describe.each(Object.entries(thrown))('%s', (_, make) => {
  it.each(Object.entries(places))('thrown by %s is heard once', { timeout: 20_000 }, async (_place, run) => {
    const fail = (): never => {
      throw make();
    };
    // Of this test alone: ending what another began may be reported late.
    const errors: Error[] = [];
    await run(fail, (error) => void errors.push(error));
    await expect.poll(() => errors.length, { timeout: 10_000 }).toBe(1);
    expect(errors[0]).toBeInstanceOf(Error);
  });
});
