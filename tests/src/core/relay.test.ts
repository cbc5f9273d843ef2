import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect as dial, createServer, type AddressInfo, type Socket } from 'node:net';
import { connect, knsock, listen, raw, type ListenOptions, type SecureConnection } from '@knsock/core';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { createWorld, portOf, type World } from '../support/world.js';

let world: World;
const open: { close(): unknown }[] = [];
beforeAll(async () => {
  world = await createWorld();
});
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

/** A plain server and the sockets that it accepted. */
async function plainServer(): Promise<{ port: number; accepted: Promise<Socket> }> {
  const server = createServer({ allowHalfOpen: true });
  const accepted = once(server, 'connection').then(([socket]) =>
    (socket as Socket).on('error', () => undefined),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  open.push(server);
  return { port: (server.address() as AddressInfo).port, accepted };
}

/** A secure server that relays each connection to `far`. */
async function relaying(
  far: () => Promise<Socket | SecureConnection>,
): Promise<{ port: number; relays: Promise<void>[]; cut: () => void }> {
  const relays: Promise<void>[] = [];
  const server = await listen(
    { port: 0, host: '127.0.0.1', framing: raw(), credentials: world.server },
    async (near) => {
      const relay = near.relay(await far());
      relays.push(relay);
      await relay.catch(() => undefined);
    },
  );
  open.push({ close: () => server.close({ deadline: 0 }) });
  const cut = (): void => {
    for (const connection of server.connections()) connection.destroy();
  };
  return { port: portOf(server), relays, cut };
}

function reach(port: number): Promise<SecureConnection> {
  return connect({ host: 'localhost', port, framing: raw(), credentials: world.anonymous });
}

function plain(port: number): Socket {
  return dial({ port, host: '127.0.0.1', allowHalfOpen: true }).on('error', () => undefined);
}

async function readAll(stream: NodeJS.ReadableStream): Promise<Buffer> {
  const pieces: Buffer[] = [];
  stream.on('data', (piece: Buffer) => pieces.push(piece));
  await once(stream, 'end');
  return Buffer.concat(pieces);
}

describe('a relay', () => {
  it('carries bytes and half-closes in both directions', async () => {
    const target = await plainServer();
    const { port, relays } = await relaying(() => Promise.resolve(plain(target.port)));
    const client = (await reach(port)).stream();
    const [sent, answered] = [randomBytes(3_000_000), randomBytes(4_000_000)];
    client.end(sent);
    const far = await target.accepted;
    expect((await readAll(far)).equals(sent)).toBe(true);
    far.end(answered);
    expect((await readAll(client)).equals(answered)).toBe(true);
    await expect(relays[0]).resolves.toBeUndefined();
  });

  it('joins two secure connections', async () => {
    const target = await plainServer();
    const inner = await relaying(() => Promise.resolve(plain(target.port)));
    const outer = await relaying(() => reach(inner.port));
    const client = (await reach(outer.port)).stream();
    const sent = randomBytes(2_000_000);
    client.end(sent);
    const far = await target.accepted;
    expect((await readAll(far)).equals(sent)).toBe(true);
    far.end('thanks');
    expect(String(await readAll(client))).toBe('thanks');
    await Promise.all([...inner.relays, ...outer.relays]);
  });

  it("stops reading while the other side doesn't read, and continues when it does", async () => {
    const target = await plainServer();
    const { port } = await relaying(() => Promise.resolve(plain(target.port)));
    const connection = await reach(port);
    const far = (await target.accepted).pause();
    const piece = Buffer.alloc(65_536);
    const client = connection.stream();
    // Buffers on the way take a few megabytes; the rest must wait here.
    for (let pieces = 0; pieces < 1_600; pieces += 1) client.write(piece);
    await vi.waitFor(() => {
      const before = connection.stats().bytesSent;
      expect(before).toBeGreaterThan(0);
      return new Promise((resolve, reject) =>
        setTimeout(
          () => (connection.stats().bytesSent === before ? resolve(null) : reject(new Error('still moving'))),
          100,
        ),
      );
    }, 10_000);
    expect(client.writableLength).toBeGreaterThan(50_000_000);
    client.end();
    let received = 0;
    far.on('data', (chunk: Buffer) => (received += chunk.length)).resume();
    await once(far, 'end');
    expect(received).toBe(1_600 * 65_536);
  });

  it("resets the plain side where the secure side is cut off, so that it doesn't look like an end", async () => {
    const target = await plainServer();
    const { port, relays, cut } = await relaying(() => Promise.resolve(plain(target.port)));
    await (await reach(port)).send('half of it');
    const far = await target.accepted;
    await once(far, 'data');
    const [failed, ends] = [once(far, 'error'), vi.fn()];
    far.on('end', ends);
    cut();
    expect((await failed)[0]).toMatchObject({ code: 'ECONNRESET' });
    expect(ends).not.toHaveBeenCalled();
    await expect(relays[0]).rejects.toMatchObject({ code: 'KNSOCK_CONNECTION_CLOSED' });
  });

  it('cuts off the secure side where the plain side is reset', async () => {
    const target = await plainServer();
    const { port, relays } = await relaying(() => Promise.resolve(plain(target.port)));
    const client = await reach(port);
    await client.send('hello');
    const far = await target.accepted;
    await once(far, 'data');
    far.resetAndDestroy();
    await client.closed;
    await expect(relays[0]).rejects.toMatchObject({
      code: 'KNSOCK_RELAY_FAILED',
      cause: { code: 'ECONNRESET' },
    });
  });

  it('reports to onError that its target is down, also where the handler only returns it', async () => {
    const target = createServer().listen(0, '127.0.0.1');
    await once(target, 'listening');
    const { port } = target.address() as AddressInfo;
    await new Promise((resolve) => target.close(resolve));
    const reported = vi.fn();
    const server = await listen(
      { port: 0, host: '127.0.0.1', framing: raw(), credentials: world.server, onError: reported },
      (near) => near.relay(dial({ port, host: '127.0.0.1' })),
    );
    open.push({ close: () => server.close({ deadline: 0 }) });
    await (
      await reach(portOf(server))
    ).closed;
    await vi.waitFor(() => {
      expect(reported).toHaveBeenCalledOnce();
    });
    expect(reported.mock.calls[0]?.[0]).toMatchObject({
      code: 'KNSOCK_RELAY_FAILED',
      cause: { code: 'ECONNREFUSED' },
    });
  });

  it('needs the raw framing and an open connection, and takes over the bytes once', async () => {
    const server = await listen(
      { port: 0, host: '127.0.0.1', framing: [knsock(), raw()], credentials: world.server },
      () => new Promise(() => undefined),
    );
    open.push({ close: () => server.close({ deadline: 0 }) });
    const framed = await connect({ host: 'localhost', port: portOf(server), credentials: world.anonymous });
    const target = await plainServer();
    await expect(framed.relay(plain(target.port))).rejects.toMatchObject({ code: 'KNSOCK_FRAMING_MISMATCH' });
    framed.destroy();
    const client = await reach(portOf(server));
    client.stream();
    await expect(client.relay(plain(target.port))).rejects.toThrow('taken already');
    client.destroy();
    await client.closed;
    await expect(client.relay(plain(target.port))).rejects.toMatchObject({
      code: 'KNSOCK_CONNECTION_CLOSED',
    });
  });
});

describe('beforeTls', () => {
  /** Requires one message before TLS, and answers it. */
  async function greeting(socket: Socket): Promise<void> {
    const [word] = (await once(socket, 'data')) as [Buffer];
    socket.pause();
    if (word.toString('latin1', 0, 3) !== 'TLS') {
      socket.end('say TLS');
      throw new Error("the client didn't say TLS");
    }
    if (word.length > 3) socket.unshift(word.subarray(3));
    socket.write('ok');
  }

  async function start(
    handshakeTimeout = 20_000,
    options: Partial<ListenOptions> = {},
  ): Promise<{ port: number; failed: () => number }> {
    const server = await listen(
      {
        port: 0,
        host: '127.0.0.1',
        framing: raw(),
        credentials: world.server,
        beforeTls: greeting,
        handshakeTimeout,
        ...options,
      },
      async (connection) => {
        const stream = connection.stream();
        stream.end(await readAll(stream));
      },
    );
    open.push({ close: () => server.close({ deadline: 0 }) });
    return { port: portOf(server), failed: () => server.stats().failedHandshakes };
  }

  const withNames = () => ({ sni: { localhost: { credentials: world.server } } });

  it.each([
    ['', () => ({})],
    [', where names have credentials of their own', withNames],
  ])('lets a protocol exchange data before TLS begins%s', async (_where, options) => {
    const { port } = await start(20_000, options());
    const socket = plain(port);
    socket.write('TLS');
    expect(String((await once(socket, 'data'))[0])).toBe('ok');
    socket.pause();
    const client = await connect({
      socket,
      framing: raw(),
      credentials: world.anonymous,
      expectedName: 'localhost',
    });
    const stream = client.stream();
    stream.end('hello');
    expect(String(await readAll(stream))).toBe('hello');
  });

  it('refuses the clients that it rejects, after what it wrote last', async () => {
    const { port, failed } = await start();
    const socket = plain(port);
    socket.write('let me in');
    expect(String(await readAll(socket))).toBe('say TLS');
    expect(failed()).toBe(1);
  });

  it('has no longer than the handshake timeout', async () => {
    const { port } = await start(300);
    const socket = plain(port);
    await once(socket.resume(), 'end');
    socket.destroy();
    expect(socket.bytesRead).toBe(0);
  });
});
