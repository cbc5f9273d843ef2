/** A peer that leaves before it was verified frees its place at once, long before the handshake's deadline. */
import { once } from 'node:events';
import { connect as connectTcp, type AddressInfo, type Socket } from 'node:net';
import {
  connect as connectTls,
  createServer as createTlsServer,
  type SecureVersion,
  type TLSSocket,
} from 'node:tls';
import {
  connect,
  knsock,
  lines,
  listen,
  raw,
  type ConnectOptions,
  type Framing,
  type ListenOptions,
  type RevocationSource,
  type SecureServer,
} from '@knsock/core';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { hear } from '../support/heard.js';
import { createWorld, portOf, type World } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});

type AnyFraming = () => Framing<unknown, unknown>;
const framings: readonly [string, AnyFraming][] = [
  ['knsock', knsock as AnyFraming],
  ['lines', lines as AnyFraming],
  ['raw', raw as AnyFraming],
];
const versions = ['TLSv1.2', 'TLSv1.3'] as const;

/** How a peer leaves; `wire` is the TCP socket below. */
const departures: readonly [string, (socket: TLSSocket, wire: Socket) => void][] = [
  ['ends its side', (socket) => void socket.end()],
  ['closes without close_notify', (socket) => void socket.destroy()],
  ['resets', (_, wire) => void wire.resetAndDestroy()],
];

const cells = framings.flatMap(([name, framing]) =>
  versions.flatMap((version) =>
    departures.map(([departure, leave]) => ({ name, framing, version, departure, leave })),
  ),
);

/** A check of the program that never finishes, and its arguments. */
function endlessCheck() {
  let begun!: (signal: AbortSignal) => void;
  const started = new Promise<AbortSignal>((resolve) => (begun = resolve));
  const check = (_: unknown, { signal }: { signal: AbortSignal }): Promise<never> => {
    begun(signal);
    return new Promise(() => undefined);
  };
  return { started, check };
}

const sourceOf = (check: RevocationSource['check']): RevocationSource => ({
  version: '1',
  check,
  onChange: () => () => undefined,
});

const local = () => ({ port: 0, host: '127.0.0.1', credentials: world.server, handshakeTimeout: 60_000 });

async function wire(port: number): Promise<Socket> {
  const socket = connectTcp(port, '127.0.0.1').on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

async function secure(over: Socket, alpn: string | undefined, version?: SecureVersion): Promise<TLSSocket> {
  const socket = connectTls({
    socket: over,
    rejectUnauthorized: false,
    ...(version !== undefined && { minVersion: version, maxVersion: version }),
    ...(alpn !== undefined && { ALPNProtocols: [alpn] }),
  });
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  return socket;
}

async function placeIsFree(server: SecureServer<never, never>): Promise<void> {
  await vi.waitFor(() => {
    expect(server.stats()).toMatchObject({ pendingHandshakes: 0, connections: 0, admitted: 0 });
  });
}

async function expectDeparture(server: unknown, heard: { events: unknown[] }, port: number | undefined) {
  const { events } = heard;
  await placeIsFree(server as SecureServer<never, never>);
  expect((server as SecureServer).stats()).toMatchObject({ failedHandshakes: 1, refusedPeers: 0 });
  expect(events).toMatchObject([
    { address: `127.0.0.1:${port}`, error: { code: 'KNSOCK_HANDSHAKE_DISCONNECTED' } },
  ]);
  expect((events[0] as { error: Error }).error.message).toContain(`127.0.0.1:${port}`);
}

describe.each(cells)(
  'a client on $name over $version that $departure while the server checks its rules',
  ({ framing, version, leave }) => {
    it.each(['authorize', 'revocation'] as const)(
      'is gone at once, and the signal of %s fires',
      async (hook) => {
        using heard = hear('knsock:failure');
        const { started, check } = endlessCheck();
        const options: Partial<ListenOptions<unknown, unknown>> =
          hook === 'authorize'
            ? { authorize: check, clientCertificates: 'require' }
            : { revocation: sourceOf(check), clientCertificates: 'require' };
        const server = await listen<unknown, unknown>(
          { ...local(), framing: framing(), ...options },
          () => undefined,
        );
        const { chain, key } = await world.authority.issue({ kind: 'client', names: ['a'], days: 1 });
        const over = await wire(portOf(server));
        const { localPort } = over;
        const socket = connectTls({
          socket: over,
          cert: chain,
          key,
          rejectUnauthorized: false,
          minVersion: version,
          maxVersion: version,
          ...(framing().alpn !== undefined && { ALPNProtocols: [framing().alpn as string] }),
        }).on('error', () => undefined);
        const signal = await started;
        expect(server.stats().pendingHandshakes).toBe(1);
        leave(socket, over);
        await expectDeparture(server, heard, localPort);
        expect(signal.reason).toMatchObject({ code: 'KNSOCK_HANDSHAKE_DISCONNECTED' });
        await server.close();
      },
    );
  },
);

it('a server waits for its rules where a client has sent everything and reads on', async () => {
  let admit!: (is: boolean) => void;
  const server = await listen(
    {
      ...local(),
      framing: lines(),
      clientCertificates: 'request',
      authorize: () => new Promise<boolean>((resolve) => (admit = resolve)),
    },
    async (connection) => {
      for await (const line of connection) await connection.send(`got ${String(line)}`);
    },
  );
  const socket = await secure(await wire(portOf(server)), undefined);
  socket.end('hello\n');
  let answer = '';
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
  await vi.waitFor(() => expect(admit).toBeDefined());
  await vi.waitFor(() => expect(socket.writableFinished).toBe(true));
  admit(true);
  await once(socket, 'end');
  expect(answer).toBe('got hello\n');
  await server.close();
});

describe.each(cells)(
  'a server on $name over $version that $departure while the client verifies it',
  ({ framing, version, leave }) => {
    it.each(['authorize', 'revocation'] as const)(
      'is reported at once, and the signal of %s fires',
      async (hook) => {
        const { started, check } = endlessCheck();
        const { chain, key } = await world.authority.issue({ kind: 'server', names: ['localhost'], days: 1 });
        const { alpn } = framing();
        const wires: Socket[] = [];
        let taken!: (socket: TLSSocket) => void;
        const secured = new Promise<TLSSocket>((resolve) => (taken = resolve));
        const server = createTlsServer(
          {
            cert: chain,
            key,
            minVersion: version,
            maxVersion: version,
            ...(alpn !== undefined && { ALPNProtocols: [alpn] }),
          },
          (socket) => {
            taken(socket.on('error', () => undefined));
          },
        );
        server.on('connection', (over: Socket) => wires.push(over.on('error', () => undefined)));
        server.listen(0, '127.0.0.1');
        await once(server, 'listening');
        const { port } = server.address() as AddressInfo;
        const options: Partial<ConnectOptions<unknown, unknown>> =
          hook === 'authorize' ? { authorize: check } : { revocation: sourceOf(check) };
        const connecting = connect<unknown, unknown>({
          host: 'localhost',
          port,
          framing: framing(),
          credentials: world.anonymous,
          connectTimeout: 60_000,
          ...options,
        });
        const failed = connecting.catch((error: unknown) => error as Error);
        const signal = await started;
        leave(await secured, wires.at(-1) as Socket);
        const error = (await failed) as Error;
        expect(error).toMatchObject({
          code: expect.stringMatching(
            /^KNSOCK_CONNECTION_(CLOSED|RESET|ENDED_EARLY)$|^KNSOCK_CLIENT_CERTIFICATE_REFUSED$/,
          ) as string,
        });
        expect(error.message).toContain(`localhost:${port}`);
        expect(signal.reason).toBe(error);
        server.close();
      },
    );
  },
);

it('a client reads what a server sent before it ended, however long the verification takes', async () => {
  const { chain, key } = await world.authority.issue({ kind: 'server', names: ['localhost'], days: 1 });
  const server = createTlsServer({ cert: chain, key }, (socket) => {
    socket.on('error', () => undefined).end('the time\n');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  let socket: Socket | undefined;
  server.once('secureConnection', (secured) => (socket = secured));
  const connection = await connect({
    host: 'localhost',
    port,
    framing: lines(),
    credentials: world.anonymous,
    authorize: async () => {
      await vi.waitFor(() => expect(socket?.writableFinished).toBe(true));
      return true;
    },
  });
  expect(await connection.receive()).toEqual(Buffer.from('the time'));
  expect(await connection.receive()).toBeNull();
  await connection.close();
  server.close();
});

describe('a client that leaves before TLS, during the hook', () => {
  const hooks: readonly [string, (socket: Socket) => void][] = [
    ['which reads', (socket) => void socket.resume()],
    ["which doesn't read yet", () => undefined],
  ];
  const ends: readonly [string, (socket: Socket) => void][] = [
    ['by an end', (socket) => void socket.end()],
    ['by a reset', (socket) => void socket.resetAndDestroy()],
  ];
  const all = hooks.flatMap(([hook, read]) => ends.map(([end, leave]) => ({ hook, read, end, leave })));

  it.each(all)("$hook, $end, is gone at once, and the hook's signal fires", async ({ read, leave }) => {
    const { started, check } = endlessCheck();
    const server = await listen(
      {
        ...local(),
        beforeTls: (socket, context) => {
          read(socket);
          socket.write('ready');
          return check(socket, context);
        },
      },
      () => undefined,
    );
    const socket = await wire(portOf(server));
    const closed = once(socket, 'close');
    let heard = '';
    socket.on('data', (chunk: Buffer) => (heard += chunk.toString()));
    const signal = await started;
    await vi.waitFor(() => expect(heard).toBe('ready'));
    leave(socket);
    await placeIsFree(server as unknown as SecureServer<never, never>);
    expect(signal.reason).toMatchObject({
      code: 'KNSOCK_HANDSHAKE_DISCONNECTED',
      message: expect.stringContaining('127.0.0.1:') as string,
    });
    await closed;
    await server.close();
  });
});
