import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  connect,
  listen,
  raw,
  type Credentials,
  type CredentialSource,
  type ErrorContext,
  type SecureConnection,
} from '@knsock/core';
import { startSslTcpServer } from '@knsock/core/kn-sock';
import { ConnectionPool, Pool } from '@knsock/pool';
import { TCPConnectionPool } from '@knsock/pool/kn-sock';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { createWorld, portOf, type World } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});

const local = () => ({ port: 0, host: '127.0.0.1', credentials: world.server });
const to = (server: Parameters<typeof portOf>[0]) => ({
  host: 'localhost',
  port: portOf(server),
  credentials: world.anonymous,
});
const asked = () => vi.fn<(error: Error, context: ErrorContext) => void>();

/** Credentials that the test replaces. */
class ChangingCredentials implements CredentialSource {
  readonly #listeners = new Set<(next: Credentials) => void>();

  current: Credentials;

  constructor(current: Credentials) {
    this.current = current;
  }

  onChange(listener: (next: Credentials) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  become(next: Credentials): void {
    this.current = next;
    for (const listener of this.#listeners) listener(next);
  }
}

describe('the end of a connection that was cut', () => {
  it("names the peer's address", async () => {
    let taken: (connection: SecureConnection) => void;
    const handled = new Promise<SecureConnection>((resolve) => (taken = resolve));
    await using server = await listen({ ...local(), framing: raw() }, async (connection) => {
      taken(connection);
      await connection.closed;
    });
    const tcp = connectTcp(portOf(server), '127.0.0.1');
    const tls = connectTls({ socket: tcp, rejectUnauthorized: false }).on('error', () => undefined);
    await once(tls, 'secureConnect');
    const connection = await handled;
    const place = `127.0.0.1:${tcp.localPort}`;
    tcp.resetAndDestroy();
    const { error } = await connection.closed;
    expect(error?.message).toContain(`the client ${place} cut the connection`);
  });

  it('reports what an asynchronous listener of onDraining rejects with', async () => {
    const onError = asked();
    const reported = new Promise<string>((resolve) => {
      onError.mockImplementation(({ message }) => {
        resolve(message);
      });
    });
    await using server = await listen({ ...local(), onError }, async (connection) => {
      connection.onDraining(() => Promise.reject(new Error('mine')) as never);
      await connection.closed;
    });
    await using connection = await connect(to(server));
    await connection.close();
    expect(await reported).toBe('mine');
  });
});

describe('onError of a server', () => {
  it.each([
    [
      'throws',
      () => {
        throw new Error('broken');
      },
    ],
    ['rejects', () => Promise.reject(new Error('broken'))],
  ] as const)('receives what a handler %s, with its connection', async (_, fail) => {
    const onError = asked();
    let handled: SecureConnection | undefined;
    await using server = await listen({ ...local(), onError }, (connection) => {
      handled = connection;
      return fail();
    });
    await (
      await connect(to(server))
    ).closed;
    expect(onError).toHaveBeenCalledTimes(1);
    const [error, context] = onError.mock.calls[0] as [Error, ErrorContext];
    expect(error.message).toBe('broken');
    expect(context.connection).toBe(handled);
    expect(context.request).toBeNull();
  });

  it('receives what authorize throws, and the peer is refused', async () => {
    const onError = asked();
    const authorize = () => {
      throw new Error('the directory is down');
    };
    const options = { ...local(), clientCertificates: 'require', authorize, onError } as const;
    await using server = await listen(options, () => undefined);
    const refused = connect({ ...to(server), credentials: world.client });
    await expect(refused).rejects.toMatchObject({ code: 'KNSOCK_CLIENT_CERTIFICATE_REFUSED' });
    expect(onError.mock.calls).toEqual([
      [expect.objectContaining({ message: 'the directory is down' }), { connection: null, request: null }],
    ]);
  });

  it("receives the error of new credentials that can't be used", async () => {
    const onError = asked();
    const credentials = new ChangingCredentials(world.server);
    await using server = await listen({ ...local(), credentials, onError }, () => undefined);
    credentials.become(world.anonymous);
    await vi.waitFor(() => expect(onError).toHaveBeenCalledTimes(1));
    expect(onError.mock.calls[0]?.[0]).toMatchObject({ code: 'KNSOCK_INVALID_OPTION' });
    await (await connect(to(server))).close();
  });

  it('may fail itself: a process warning reports both errors, and the server continues', async () => {
    const onError = () => Promise.reject(new RangeError('no log to write to'));
    const warned: string[] = [];
    const listener = ({ message }: Error) => warned.push(message);
    process.on('warning', listener);
    try {
      await using server = await listen({ ...local(), onError }, () => {
        throw new SyntaxError('broken');
      });
      await (
        await connect(to(server))
      ).closed;
      await (
        await connect(to(server))
      ).closed;
      await vi.waitFor(() => {
        expect(warned).toEqual([
          expect.stringMatching(
            /^onError failed on connection \d+ with 127\.0\.0\.1:\d+: RangeError: no log/,
          ),
          expect.stringMatching(
            /handler failed on connection \d+ with 127\.0\.0\.1:\d+: SyntaxError: broken/,
          ),
        ]);
      });
    } finally {
      process.off('warning', listener);
    }
  });

  it("is an option of kn-sock's servers too", async () => {
    const onError = asked();
    const { authority } = world;
    const folder = await mkdtemp(path.join(tmpdir(), 'knsock-'));
    const issued = await authority.issue({ kind: 'server', names: ['localhost'], days: 1 });
    await writeFile(`${folder}/crt`, issued.chain);
    await writeFile(`${folder}/key`, issued.key);
    const files = { certfile: `${folder}/crt`, keyfile: `${folder}/key`, host: '127.0.0.1', onError };
    const handler = () => {
      throw new Error('broken');
    };
    await using server = await startSslTcpServer(0, handler, files);
    const client = await connect({ ...to(server), framing: raw() });
    await client.send('x');
    await client.closed;
    expect(onError.mock.calls[0]?.[0].message).toBe('broken');
  });
});

describe('without onError', () => {
  it('a process warning names what failed in a handler, and nothing ends', async () => {
    const warning = once(process, 'warning') as Promise<[Error & { code: string }]>;
    await using server = await listen(local(), () => {
      throw Object.assign(new Error('no database'), { code: 'DB_DOWN' });
    });
    await (
      await connect(to(server))
    ).closed;
    const [{ code, message }] = await warning;
    expect(code).toBe('KNSOCK_UNHANDLED_FAILURE');
    expect(message).toMatch(/handler failed on connection \d+ with 127\.0\.0\.1:\d+: DB_DOWN: no database/);
  });
});

describe('onError of a client', () => {
  it("receives the error of new credentials that can't verify its connection, which stays", async () => {
    const onError = asked();
    await using server = await listen(local(), () => undefined);
    const credentials = new ChangingCredentials(world.anonymous);
    await using client = await connect({ ...to(server), credentials, onError });
    credentials.become(null as never);
    await vi.waitFor(() => expect(onError).toHaveBeenCalledTimes(1));
    expect(onError.mock.calls[0]?.[1].connection).toBe(client);
    expect(client.state).toBe('open');
  });
});

describe('onError of a pool', () => {
  it('receives what its functions throw', async () => {
    const onError = asked();
    const fail = (name: string) => () => {
      throw new Error(name);
    };
    await using pool = new Pool({
      create: () => ({}),
      lifetime: () => 1e6,
      reusable: fail('reusable'),
      destroy: fail('destroy'),
      onError,
    });
    await pool.use(() => undefined);
    expect(onError.mock.calls.map(([{ message }]) => message)).toEqual(['reusable', 'destroy']);
    expect(onError.mock.calls[0]?.[1]).toEqual({ connection: null, request: null });
  });

  it('receives a failure to keep the minimum, which no caller waits for', async () => {
    const onError = asked();
    await using pool = new ConnectionPool({
      endpoints: [{ host: '127.0.0.1', port: 1 }],
      min: 1,
      onError,
    });
    await vi.waitFor(() => expect(onError).toHaveBeenCalled());
    expect(onError.mock.calls[0]?.[0]).toMatchObject({ code: 'KNSOCK_CONNECTION_REFUSED' });
    expect(pool.stats().lastFailure).toBeDefined();
  });

  it("doesn't receive what its callers receive", async () => {
    const onError = asked();
    await using pool = new ConnectionPool({ endpoints: [{ host: '127.0.0.1', port: 1 }], onError });
    await expect(pool.ready()).rejects.toMatchObject({ code: 'KNSOCK_CONNECTION_REFUSED' });
    await expect(pool.acquire({ timeout: 50 })).rejects.toMatchObject({ code: 'KNSOCK_POOL_TIMEOUT' });
    expect(onError).not.toHaveBeenCalled();
  });

  it('must be a function in every pool', () => {
    const onError = 'log' as never;
    const refusal = expect.objectContaining({ code: 'KNSOCK_INVALID_OPTION', option: 'onError' }) as Error;
    expect(() => new Pool({ create: () => 1, onError })).toThrow(refusal);
    expect(() => new ConnectionPool({ endpoints: [{ host: 'x', port: 1 }], onError })).toThrow(refusal);
    expect(() => new TCPConnectionPool('x', 1, { onError })).toThrow(refusal);
  });
});
