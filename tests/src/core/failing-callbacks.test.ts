/** Every callback of a program may fail: the failure is reported once, and ends nothing else. */
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import {
  connect,
  json,
  knsock,
  lengthPrefixed,
  lines,
  listen,
  raw,
  serve,
  type Credentials,
  type CredentialSource,
  type ErrorContext,
  type Framing,
  type RevocationSource,
  type SecureConnection,
} from '@knsock/core';
import { Pool } from '@knsock/pool';
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createWorld, portOf, type World } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});

const onError = vi.fn<(error: Error, context: ErrorContext) => void>();
beforeEach(() => {
  onError.mockReset();
});

const local = () => ({ port: 0, host: '127.0.0.1', credentials: world.server, onError });
const to = (server: Parameters<typeof portOf>[0]) => ({
  host: 'localhost',
  port: portOf(server),
  credentials: world.anonymous,
});

const boom = (): never => {
  throw new Error('mine');
};

/** Listeners of every kind that fail, on a signal that will fire. */
function failOn(signal: AbortSignal): void {
  signal.addEventListener('abort', boom);
  const rejecting: () => unknown = () => Promise.reject(new Error('mine'));
  signal.addEventListener('abort', rejecting);
  signal.onabort = boom;
}

/** Three of `failOn`. */
async function toldOfAll(count = 3): Promise<ErrorContext[]> {
  await vi.waitFor(() => expect(onError).toHaveBeenCalledTimes(count));
  expect(onError.mock.calls.map(([{ message }]) => message)).toEqual(new Array(count).fill('mine'));
  return onError.mock.calls.map(([, context]) => context);
}

describe('a listener of onMessage that fails', () => {
  const framings: readonly Framing[] = [knsock(), lines(), lengthPrefixed(), json(lines()), raw()];

  it.each(framings)('is given nothing more of what has arrived: $name', async (framing) => {
    const isRaw = framing.name === 'raw';
    const listener = vi.fn(boom);
    let accept: (connection: SecureConnection) => void = () => undefined;
    const accepted = new Promise<SecureConnection>((resolve) => (accept = resolve));
    const limits = isRaw ? { maxMessageBytes: 1_024 } : {};
    await using server = await listen({ ...local(), framing, ...limits }, (connection) => {
      accept(connection);
    });
    const client = await connect({ ...to(server), framing });
    const connection = await accepted;
    connection.pause();
    for (let n = 0; n < 50; n += 1) client.write(isRaw ? Buffer.alloc(1_024) : '1');
    await vi.waitFor(() => expect(connection.stats().messagesReceived).toBeGreaterThanOrEqual(50));
    connection.onMessage(listener);
    connection.resume();
    expect((await connection.closed).error?.message).toBe('mine');
    expect(listener).toHaveBeenCalledOnce();
    expect(onError).toHaveBeenCalledOnce();
    client.destroy();
  });
});

describe('listeners that fail, of a signal', () => {
  it('of a connection, on either side', async () => {
    await using server = await listen(local(), ({ signal }) => failOn(signal));
    const client = await connect({ ...to(server), onError });
    failOn(client.signal);
    await client.close();
    const contexts = await toldOfAll(6);
    expect(contexts.filter(({ connection }) => connection === client)).toHaveLength(3);
    expect(contexts.every(({ connection }) => connection !== null)).toBe(true);
  });

  it.each(['knsock', 'length-prefixed'])('of a request over %s: its handler still answers', async (name) => {
    const framing = name === 'knsock' ? {} : { framing: lengthPrefixed() };
    const server = await serve({ ...local(), ...framing }, async ({ signal, draining }) => {
      failOn(signal);
      failOn(draining);
      await once(signal, 'abort');
      return 'in time';
    });
    await using client = await connect({ ...to(server), ...framing });
    const asked = client.request('x');
    await vi.waitFor(() => expect([...server.connections()][0]?.stats().requestsHandled).toBe(1));
    await server.close({ deadline: 300 });
    expect(String(await asked)).toBe('in time');
    for (const { request, connection } of await toldOfAll(6)) {
      expect(request?.connection).toBe(connection);
      expect(String(request?.payload)).toBe('x');
    }
  });

  it('of authorize on the server, when its time is over, and when live peers are verified again', async () => {
    let isSlow = false;
    const authorize = (_peer: unknown, { signal }: { signal: AbortSignal }): boolean | Promise<boolean> => {
      if (!isSlow) return true;
      failOn(signal);
      return new Promise(() => undefined);
    };
    await using server = await listen(
      { ...local(), clientCertificates: 'request', authorize, handshakeTimeout: 400 },
      () => undefined,
    );
    await using live = await connect(to(server));
    isSlow = true;
    await connect(to(server)).then(
      ({ closed }) => closed,
      () => undefined,
    );
    await toldOfAll(3);
    await server.rotate(world.server);
    await live.closed;
    await toldOfAll(6);
  });

  it('of the revocation source of a client, when the connect is given up', async () => {
    await using server = await listen(local(), () => undefined);
    const revocation: RevocationSource = {
      version: '1',
      check: (_path, { signal }) => {
        failOn(signal);
        return new Promise(() => undefined);
      },
      onChange: () => () => undefined,
    };
    const connecting = connect({ ...to(server), revocation, connectTimeout: 300, onError });
    await expect(connecting).rejects.toMatchObject({ code: 'KNSOCK_CONNECT_TIMEOUT' });
    await toldOfAll();
  });

  it('of beforeTls, when the client leaves', async () => {
    let begun!: () => void;
    const speaking = new Promise<void>((resolve) => (begun = resolve));
    await using server = await listen(
      {
        ...local(),
        beforeTls: async (socket, { signal }) => {
          failOn(signal);
          begun();
          await once(socket.resume(), 'close');
        },
      },
      () => undefined,
    );
    const client = connectTcp(portOf(server), '127.0.0.1');
    await speaking;
    client.resetAndDestroy();
    await toldOfAll();
  });

  it('of the functions of a pool, when it closes', async () => {
    const never = (_: unknown, context: { signal: AbortSignal }): Promise<boolean> => {
      failOn(context.signal);
      return new Promise(() => undefined);
    };
    const making = new Pool({ create: (context) => never(null, context), onError, name: 'p' });
    const acquiring = making.acquire();
    await making.close({ deadline: 0 });
    await expect(acquiring).rejects.toMatchObject({ code: 'KNSOCK_POOL_CLOSED' });
    await toldOfAll(3);
    let isSlow = false;
    const validate = (resource: unknown, context: { signal: AbortSignal }): boolean | Promise<boolean> => {
      if (!isSlow) return true;
      isSlow = false;
      return never(resource, context);
    };
    const checking = new Pool({
      create: () => ({}),
      validate,
      validateAfter: 0,
      validateTimeout: 20,
      onError,
    });
    (await checking.acquire()).release();
    isSlow = true;
    await vi.waitFor(async () => {
      (await checking.acquire()).release();
      expect(isSlow).toBe(false);
    });
    await toldOfAll(6);
    await checking.close({ deadline: 0 });
  });
});

/** A source of credentials that fails where it must not. */
class Failing implements CredentialSource {
  readonly current: Credentials;
  readonly #stop: () => void;

  constructor(current: Credentials, stop: () => unknown) {
    this.current = current;
    this.#stop = stop;
  }

  onChange(): () => void {
    return this.#stop;
  }
}

describe('a source of credentials whose unsubscribe fails', () => {
  it.each([
    ['throws', boom],
    ['rejects', () => Promise.reject(new Error('mine'))],
  ])('and %s: a server closes, rotates and reports it', async (_, stop) => {
    const server = await listen(
      { ...local(), credentials: new Failing(world.server, stop) },
      () => undefined,
    );
    await server.rotate({ credentials: new Failing(world.server, stop) });
    await toldOfAll(1);
    expect(server.stats().rotations).toBe(1);
    await server.close();
    await toldOfAll(2);
  });

  it("a client's connection ends nevertheless", async () => {
    await using server = await listen(local(), () => undefined);
    const client = await connect({ ...to(server), credentials: new Failing(world.anonymous, boom), onError });
    await client.close();
    const [{ connection }] = (await toldOfAll(1)) as [ErrorContext];
    expect(connection).toBe(client);
  });

  it("and one that can't be followed changes nothing", async () => {
    await using server = await listen(local(), () => undefined);
    const unfollowable = { current: world.server, onChange: boom };
    await expect(server.rotate({ credentials: unfollowable })).rejects.toThrow('mine');
    expect(server.stats().rotations).toBe(0);
    await expect(listen({ ...local(), credentials: unfollowable }, () => undefined)).rejects.toThrow('mine');
    await (await connect(to(server))).close();
  });
});

describe("a pool's function that must be synchronous, and returns a promise", () => {
  it.each([
    ['reusable', Promise.resolve(true)],
    ['untouched', Promise.resolve(true)],
    ['lifetime', Promise.resolve(1_000)],
  ] as const)('%s is reported, and counts as false', async (name, answer) => {
    let made = 0;
    await using pool = new Pool({ create: () => ++made, [name]: () => answer, onError, max: 1 });
    await pool.use(() => undefined);
    await pool.use(() => undefined);
    expect(made).toBe(2);
    expect(onError.mock.calls[0]?.[0]).toMatchObject({ code: 'KNSOCK_INVALID_OPTION', option: name });
  });

  it('has its rejection reported too', async () => {
    await using pool = new Pool({
      create: () => 1,
      reusable: (() => Promise.reject(new Error('mine'))) as never,
      onError,
    });
    await pool.use(() => undefined);
    await vi.waitFor(() => expect(onError).toHaveBeenCalledTimes(2));
    expect(onError.mock.calls[1]?.[0].message).toBe('mine');
  });
});

/** Values that a callback may return that look like a promise and aren't one. */
const thenables: [string, () => unknown][] = [
  ['throws in then', () => ({ then: boom })],
  ["has a then that can't be read", () => Object.defineProperty({}, 'then', { get: boom })],
  ['rejects twice', () => ({ then: (_: unknown, reject: (error: Error) => void) => { reject(new Error('mine')); boom(); } })], // prettier-ignore
];

describe.each(thenables)('a thenable that %s', (_, make) => {
  it('from a handler, a listener of messages, or one of draining is a failure like any other', async () => {
    for (const handler of [
      make,
      (connection: SecureConnection) => connection.onMessage(make),
      (connection: SecureConnection) => connection.onDraining(make),
    ]) {
      onError.mockReset();
      await using server = await listen(local(), handler as never);
      const client = await connect(to(server));
      await client.send('x').catch(() => undefined);
      await client.close();
      await toldOfAll(1);
    }
  });

  it('from a request handler fails that request', async () => {
    await using server = await serve(local(), make as never);
    await using client = await connect(to(server));
    await expect(client.request('x')).rejects.toMatchObject({ code: 'KNSOCK_REMOTE_HANDLER' });
    await toldOfAll(1);
  });

  it('from authorize refuses', async () => {
    await using server = await listen(
      { ...local(), clientCertificates: 'request', authorize: make as never },
      () => undefined,
    );
    const refused = connect(to(server));
    await expect(refused).rejects.toMatchObject({ code: 'KNSOCK_CLIENT_CERTIFICATE_REFUSED' });
    await toldOfAll(1);
  });
});
