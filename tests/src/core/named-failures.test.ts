/** Every message about a connection names the other end's address. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  connect as connectTcp,
  createServer as createTcpServer,
  type AddressInfo,
  type Server,
} from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { connect as connectTls, createServer as createTlsServer, type TLSSocket } from 'node:tls';
import {
  connect,
  knsock,
  lines,
  listen,
  raw,
  serve,
  type ConnectOptions,
  type Framing,
  type ListenOptions,
  type SecureConnection,
} from '@knsock/core';
import { sendSslTcpMessage } from '@knsock/core/kn-sock';
import { TCPConnectionPool } from '@knsock/pool/kn-sock';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { frame, kind, knsockPeer, welcome } from '../support/hand-made-peer.js';
import { hear } from '../support/heard.js';
import { createWorld, portOf, type World } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});

const local = () => ({ port: 0, host: '127.0.0.1', credentials: world.server, onError: () => undefined });
const client = () => ({ host: 'localhost', credentials: world.anonymous, onError: () => undefined });
const failure = (work: Promise<unknown>): Promise<Error> =>
  work.then(
    () => new Error("it didn't fail"),
    (error: unknown) => error as Error,
  );
const end = async ({ closed }: SecureConnection): Promise<Error> =>
  (await closed).error ?? new Error('it ended without an error');

/** A server that isn't ours, and the port that must be named. */
async function against(server: Server, work: (port: number) => Promise<Error>): Promise<[Error, number]> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  try {
    return [await work(port), port];
  } finally {
    server.close();
  }
}

const tcp = (greet: string | null) =>
  createTcpServer((socket) => {
    socket.on('error', () => undefined);
    if (greet !== null) socket.write(greet);
  });

/** A TLS server that sends only the knsock/1 frames given. */
async function tlsServer(
  speak: (socket: TLSSocket) => void,
  work: (port: number) => Promise<Error>,
  ALPNProtocols: string[] = ['knsock/1'],
): Promise<[Error, number]> {
  const { chain, key } = await world.authority.issue({ kind: 'server', names: ['localhost'], days: 1 });
  const sockets = new Set<TLSSocket>();
  const server = createTlsServer({ cert: chain, key, ALPNProtocols }, (socket) => {
    sockets.add(socket.on('error', () => undefined));
    speak(socket);
  });
  try {
    return await against(server, work);
  } finally {
    for (const socket of sockets) socket.destroy();
  }
}

/** Our implementation on both sides. */
async function ours(
  work: (connection: SecureConnection, there: SecureConnection) => Promise<Error>,
  options: Partial<ListenOptions> & Partial<ConnectOptions> = {},
  ofServer: Partial<ListenOptions> = {},
): Promise<[Error, number]> {
  const server = await listen({ ...local(), ...(options as object), ...ofServer }, (connection) => {
    connection.onRequest(() => new Promise(() => undefined));
  });
  const port = portOf(server);
  const connection = await connect({ ...client(), port, ...(options as object) });
  await vi.waitFor(() => expect(server.stats().connections).toBe(1));
  const [there] = server.connections();
  try {
    return [await work(connection, there as SecureConnection), port];
  } finally {
    connection.destroy();
    await server.close({ deadline: 0 });
  }
}

const silent = { requestTimeout: 50 };

/** On the client; each ends in an error that must name the server's port. */
const onClient: [string, () => Promise<[Error, number]>][] = [
  ['no server listens', async () => [await failure(connect({ ...client(), host: '127.0.0.1', port: 1 })), 1]],
  [
    'a deadline of connect',
    () => against(tcp(null), (port) => failure(connect({ ...client(), port, connectTimeout: 100 }))),
  ],
  [
    'no TLS',
    () => against(tcp('SSH-2.0-OpenSSH_9.2\r\n'), (port) => failure(connect({ ...client(), port }))),
  ],
  [
    'an unknown issuer',
    () =>
      tlsServer(
        () => undefined,
        async (port) => {
          const others = await createWorld();
          return failure(connect({ ...client(), port, credentials: others.anonymous }));
        },
      ),
  ],
  [
    "a name that isn't the server's",
    () =>
      tlsServer(
        () => undefined,
        (port) => failure(connect({ ...client(), port, servername: 'other.example' })),
      ),
  ],
  [
    'authorize, which says no',
    () =>
      tlsServer(
        () => undefined,
        (port) => failure(connect({ ...client(), port, authorize: () => false })),
      ),
  ],
  [
    'a server of other framings',
    () =>
      tlsServer(
        () => undefined,
        (port) => failure(connect({ ...client(), port })),
        ['other/1'],
      ),
  ],
  [
    "a welcome that doesn't come",
    () =>
      tlsServer(
        () => undefined,
        (port) => failure(connect({ ...client(), port, connectTimeout: 300 })),
      ),
  ],
  [
    'a first frame that is no welcome',
    () =>
      tlsServer(
        (socket) => socket.write(frame(kind.message, Buffer.from('x'))),
        (port) => failure(connect({ ...client(), port })),
      ),
  ],
  [
    'a malformed frame',
    () =>
      tlsServer(
        (socket) => socket.write(Buffer.concat([welcome, frame(0x7f, Buffer.alloc(1))])),
        async (port) => end(await connect({ ...client(), port })),
      ),
  ],
  [
    'a message that is too large',
    () =>
      tlsServer(
        (socket) => socket.write(Buffer.concat([welcome, frame(kind.message, Buffer.alloc(99))])),
        async (port) => end(await connect({ ...client(), port, maxMessageBytes: 10 })),
      ),
  ],
  [
    'an end without CLOSE',
    () =>
      tlsServer(
        (socket) => socket.end(welcome),
        async (port) => end(await connect({ ...client(), port })),
      ),
  ],
  [
    'a refused client certificate',
    async () => {
      const server = await listen({ ...local(), clientCertificates: 'require' }, () => undefined);
      const error = await failure(connect({ ...client(), port: portOf(server) }));
      await server.close();
      return [error, portOf(server)];
    },
  ],
  [
    "a reply that doesn't end",
    async () => {
      const server = await listen({ ...local(), framing: raw() }, () => undefined);
      const options = { verify: false, until: 'end', timeout: 100 } as const;
      const error = await failure(sendSslTcpMessage('localhost', portOf(server), 'x', options));
      await server.close({ deadline: 0 });
      return [error, portOf(server)];
    },
  ],
  ['a request without an answer', () => ours((c) => failure(c.request('x')), silent)],
  [
    'a request to a peer that takes none',
    () =>
      tlsServer(
        (socket) => socket.write(frame(kind.welcome, Buffer.from('ffffffff00000000', 'hex'))),
        async (port) => failure((await connect({ ...client(), port })).request('x')),
      ),
  ],
  [
    'a request that is too large for the peer',
    () => ours((c) => failure(c.request('x'.repeat(99))), {}, { maxMessageBytes: 10 }),
  ],
  [
    'a request that is under way at the end',
    () =>
      ours((c, there) => {
        const asking = failure(c.request('x'));
        setImmediate(() => there.destroy());
        return asking;
      }),
  ],
  ['a message that is too large for the peer', () => ours((c) => failure(c.send('x'.repeat(99))), {}, { maxMessageBytes: 10 })], // prettier-ignore
  ['receive, which takes too long', () => ours((c) => failure(c.receive({ timeout: 20 })))],
  ['relay() on another framing', () => ours((c) => failure(c.relay(c)))],
  ['stream() on another framing', () => ours((c) => failure(Promise.resolve().then(() => c.stream())))],
  ['ping() on another framing', () => ours((c) => failure(c.ping()), { framing: lines() })],
  ...(['send', 'request', 'ping', 'ready'] as const).map((call): [string, () => Promise<[Error, number]>] => [
    `${call}() after the end`,
    () =>
      ours(async (c) => {
        await c.close();
        return failure(call === 'ping' || call === 'ready' ? c[call]() : c[call]('x'));
      }),
  ]),
  [
    'the reason of a signal',
    () =>
      ours(async (c) => {
        const { signal } = c;
        await c.close();
        return signal.reason as Error;
      }),
  ],
  [
    'a deadline of close()',
    () =>
      ours(async (c) => {
        void c.request('x').catch(() => undefined);
        await c.close({ deadline: 50 });
        return end(c);
      }),
  ],
  ['an idle connection', () => ours((c) => end(c), { idleTimeout: 200 })],
  [
    "the peer's close code",
    () =>
      ours((c, there) => {
        there.destroy();
        return end(c);
      }),
  ],
];

describe.each(onClient)("the client's error of %s", (_, run) => {
  it("names the server's port", async () => {
    const [error, port] = await run();
    expect(error.message).toContain(`:${port}`);
    expect(error.message.match(new RegExp(`:${port}\\b`, 'g'))).toHaveLength(1);
    expect(error.stack).toContain(error.message);
  });
});

type Behave = (socket: TLSSocket) => unknown;

/** On the server; what the client does, and the options of the server. */
const onServer: [string, Behave, Partial<ListenOptions>][] = [
  ['a cut', (socket) => socket.destroy(), {}],
  ['an end without CLOSE', (socket) => socket.end(), {}],
  ['a malformed frame', (socket) => socket.write(frame(0x7f, Buffer.alloc(1))), {}],
  [
    'an oversized message',
    (socket) => socket.write(frame(kind.message, Buffer.alloc(99))),
    { maxMessageBytes: 9 },
  ],
  ['no first message', () => undefined, { firstMessageTimeout: 100 }],
  ['no message', (socket) => socket.write(frame(kind.message, Buffer.alloc(9))), { idleTimeout: 200 }],
  ['no sign of life', () => undefined, { heartbeat: { interval: 50, timeout: 50 } }],
  ['a close code of its own', (socket) => socket.write(frame(0x0a, Buffer.from('\x05movedto b'))), {}],
];

describe.each(onServer)("the server's error of a client with %s", (_, behave, options) => {
  it("names the client's port", async () => {
    let taken!: (connection: SecureConnection) => void;
    const handed = new Promise<SecureConnection>((resolve) => (taken = resolve));
    const server = await listen({ ...local(), ...options }, async (connection) => {
      taken(connection);
      connection.onMessage(() => undefined);
      await connection.closed;
    });
    const socket = await knsockPeer(portOf(server));
    const { localPort = 0 } = socket;
    const connection = await handed;
    behave(socket.resume());
    expect((await end(connection)).message).toContain(`127.0.0.1:${localPort}`);
    socket.destroy();
    await server.close({ deadline: 0 });
  });
});

const listenTo = (c: SecureConnection): SecureConnection => {
  c.onMessage(() => undefined);
  return c;
};
const answerOn = (c: SecureConnection): SecureConnection => {
  c.onRequest(() => 'x');
  return c;
};

/** On either side; each is refused because the connection has a consumer already. */
const onSecondConsumer: [string, (c: SecureConnection) => unknown, { framing?: Framing }][] = [
  ['onMessage() twice', (c) => listenTo(listenTo(c)), {}],
  ['receive() beside a listener', (c) => listenTo(c).receive(), {}],
  ['onRequest() twice', (c) => answerOn(answerOn(c)), {}],
  ['onRequest() twice', (c) => answerOn(answerOn(c)), { framing: lines() }],
  ['receive() beside requests', (c) => answerOn(c).receive(), { framing: lines() }],
  ['stream() beside a listener', (c) => listenTo(c).stream(), { framing: raw() }],
  ['relay() beside stream()', (c) => [c.stream(), c.relay(new PassThrough())][1], { framing: raw() }],
  ['stream() beside relay()', (c) => [c.relay(new PassThrough()), c.stream()], { framing: raw() }],
];

describe.each(onSecondConsumer)('the error of %s', (_, consume, options) => {
  it('names the address', async () => {
    const [error, port] = await ours((c) => failure(Promise.resolve().then(() => consume(c))), options);
    expect(error).toMatchObject({ code: 'KNSOCK_CONSUMED' });
    expect(error.message).toContain(`:${port}`);
  });
});

describe('an error of a connection over a Unix socket', () => {
  const place = () => join(tmpdir(), `kn-${randomBytes(6).toString('hex')}.sock`);

  it('names its path, on both sides', async () => {
    const path = place();
    let taken!: (connection: SecureConnection) => void;
    const handed = new Promise<SecureConnection>((resolve) => (taken = resolve));
    const { credentials } = local();
    const server = await listen({ path, credentials, onError: () => undefined }, (c) => {
      taken(c);
    });
    const connection = await connect({
      path,
      credentials: world.anonymous,
      expectedName: 'localhost',
      onError: () => undefined,
    });
    expect((await failure(connection.receive({ timeout: 20 }))).message).toContain(path);
    const there = await handed;
    expect((await failure(there.receive({ timeout: 20 }))).message).toContain(`a local peer on ${path}`);
    connection.destroy();
    expect((await end(there)).message).toContain(`a local peer on ${path}`);
    await server.close({ deadline: 0 });
  });

  it("names its path where the client isn't admitted", async () => {
    const path = place();
    const { credentials } = local();
    using heard = hear('knsock:failure');
    const server = await listen({ path, credentials }, () => undefined);
    connectTcp(path)
      .on('error', () => undefined)
      .end('GET / HTTP/1.1\r\n\r\n');
    await vi.waitFor(() => expect(heard.events).not.toHaveLength(0));
    expect(heard.events[0]).toMatchObject({ address: `a local peer on ${path}` });
    expect((heard.events[0] as { error: Error }).error.message).toContain(path);
    await server.close({ deadline: 0 });
  });
});

describe("an error of kn-sock's pool", () => {
  it.each([
    ['over TLS', true],
    ['over plain TCP', false],
  ])('names the server, %s', async (_, ssl) => {
    const mute = async (port: number): Promise<Error> => {
      const pool = new TCPConnectionPool('localhost', port, { ssl, verify: false });
      await using lease = await pool.connection();
      const late = await failure(lease.recv(10, { timeout: 20 }));
      lease.release();
      await pool.closeAll({ deadline: 0 });
      return late;
    };
    const [error, port] = ssl
      ? await (async (): Promise<[Error, number]> => {
          const server = await listen({ ...local(), framing: raw() }, () => undefined);
          const outcome: [Error, number] = [await mute(portOf(server)), portOf(server)];
          await server.close({ deadline: 0 });
          return outcome;
        })()
      : await against(tcp(null), mute);
    expect(error).toMatchObject({ code: 'KNSOCK_RECEIVE_TIMEOUT' });
    expect(error.message).toContain(`localhost:${port}`);
  });
});

describe("the server's error of a client that isn't admitted", () => {
  it.each([
    ['speaks no TLS', { clientCertificates: 'none' }, 'plain'],
    ['shows no certificate', { clientCertificates: 'require' }, 'tls'],
    ["isn't allowed", { clientCertificates: 'request', authorize: () => false }, 'tls'],
    ['names no protocol', { framing: knsock() }, 'tls'],
  ] as const)('which %s names its port', async (_, options, speaks) => {
    using heard = hear('knsock:failure');
    const server = await listen({ ...local(), ...(options as object) }, () => undefined);
    const socket = connectTcp(portOf(server), '127.0.0.1').on('error', () => undefined);
    await once(socket, 'connect');
    const { localPort } = socket;
    if (speaks === 'plain') socket.write('GET / HTTP/1.1\r\n\r\n');
    else connectTls({ socket, rejectUnauthorized: false }).on('error', () => undefined);
    await vi.waitFor(() => expect(heard.events).not.toHaveLength(0));
    const { error } = heard.events[0] as { error: Error };
    expect(error.message).toContain(`127.0.0.1:${localPort}`);
    await server.close({ deadline: 0 });
  });
});

it('sends the peer no addresses', async () => {
  const server = await listen({ ...local(), idleTimeout: 100 }, () => undefined);
  const socket = await knsockPeer(portOf(server));
  let received = '';
  socket.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')));
  await once(socket, 'close');
  expect(received).toContain('KNSOCK_IDLE_TIMEOUT');
  expect(received).not.toContain('127.0.0.1');
  await server.close();
});

it('leaves the message of a handler on the other side unchanged', async () => {
  const { RequestError } = await import('@knsock/core');
  const server = await serve(local(), () => {
    throw new RequestError('not-found', 'no such user');
  });
  const connection = await connect({ ...client(), port: portOf(server) });
  expect((await failure(connection.request('x'))).message).toBe('no such user');
  await connection.close();
  await server.close();
});
