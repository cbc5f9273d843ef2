import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect as connectTcp, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as tls from 'node:tls';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { connect } from '../client/connect.js';
import type { ConnectOptions } from '../client/config.js';
import type { SecureConnection } from '../connection/connection-types.js';
import { createCredentials } from '../credentials/credentials.js';
import { knsock, lengthPrefixed, lines, raw } from '../framing/index.js';
import { channels } from '../observe/channels.js';
import { makeCertificate, makeCrl } from '../testing/made-certificates.js';
import { crlRevocation } from '../trust/crl-revocation.js';
import type { ListenOptions } from './config.js';
import { listen, serve } from './listen.js';
import { listeningHere } from './listening-here.js';
import type { SecureServer } from './secure-server.js';

const ca = makeCertificate({ commonName: 'CA', isAuthority: true });
const own = makeCertificate({ commonName: 'us', issuer: ca, names: ['localhost'], usage: 'server' });
const named = makeCertificate({ commonName: 'named', issuer: ca, names: ['named.test'], usage: 'server' });
const app = makeCertificate({ commonName: 'app', issuer: ca, usage: 'client' });
const web = makeCertificate({ commonName: 'web', issuer: ca, usage: 'client' });
const credentials = createCredentials({ cert: own.pem, key: own.keyPem, ca: ca.pem });
const namedCredentials = createCredentials({ cert: named.pem, key: named.keyPem, ca: ca.pem });
const shows = (one: typeof app) => createCredentials({ cert: one.pem, key: one.keyPem, ca: ca.pem });
const anonymous = createCredentials({ ca: ca.pem });

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanUp.splice(0).reverse()) await clean();
});

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const echo = (connection: SecureConnection): void => {
  connection.onRequest(({ payload }) => payload);
};

async function started(
  options: Partial<ListenOptions> = {},
  handler: (connection: SecureConnection) => void | Promise<void> = echo,
) {
  const errors: Error[] = [];
  const server = await listen(
    { port: 0, host: '127.0.0.1', credentials, onError: (error) => void errors.push(error), ...options },
    handler,
  );
  cleanUp.push(() => server.close({ deadline: 0 }));
  return { server, port: portOf(server), errors };
}

function portOf(server: SecureServer): number {
  return 'port' in server.address ? server.address.port : 0;
}

async function client(port: number, options: Partial<ConnectOptions> = {}): Promise<SecureConnection> {
  const connection = await connect({
    host: '127.0.0.1',
    port,
    servername: 'localhost',
    credentials: anonymous,
    resume: false,
    ...options,
  });
  cleanUp.push(() => {
    connection.destroy();
  });
  return connection;
}

/** A socket that sends nothing on its own. */
async function bare(port: number): Promise<Socket> {
  const socket = connectTcp({ port, host: '127.0.0.1' });
  socket.on('error', () => undefined);
  cleanUp.push(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

async function ask(connection: SecureConnection, what = 'hello'): Promise<string> {
  return String(await connection.request(what));
}

async function failureOf(promise: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  try {
    await promise;
  } catch (error) {
    return error as never;
  }
  throw new Error('it succeeded');
}

/** What a channel publishes while a test runs. */
function hearing(channel: { name: string | symbol }): Record<string, unknown>[] {
  const heard: Record<string, unknown>[] = [];
  const listener = (message: unknown): void => void heard.push(message as Record<string, unknown>);
  subscribe(channel.name, listener);
  cleanUp.push(() => unsubscribe(channel.name, listener));
  return heard;
}

/** Waits until the counters have these values. */
function counted(server: SecureServer, expected: object): Promise<void> {
  return vi.waitFor(
    () => {
      expect(server.stats()).toMatchObject(expected);
    },
    { interval: 1, timeout: 10_000 },
  );
}

describe('a server', () => {
  it('hands out connections, counts them and forgets them', async () => {
    const { server, port } = await started();
    const connection = await client(port);
    expect(await ask(connection)).toBe('hello');
    expect([...server.connections()]).toHaveLength(1);
    expect(server.stats()).toEqual({
      connections: 1,
      pendingHandshakes: 0,
      accepted: 1,
      admitted: 1,
      refusedSockets: expect.objectContaining({ denied: 0 }) as object,
      failedHandshakes: 0,
      refusedPeers: 0,
      validations: 0,
      rotations: 0,
      acceptErrors: 0,
    });
    await connection.close();
    await counted(server, { connections: 0, admitted: 1 });
  });

  it('answers requests by one handler', async () => {
    const server = await serve(
      { port: 0, host: '127.0.0.1', credentials },
      ({ payload, connection }) => `${String(payload)} on ${connection.tls.version}`,
    );
    cleanUp.push(() => server.close());
    expect(await ask(await client(portOf(server)))).toBe('hello on TLSv1.3');
  });

  it('needs a handler', async () => {
    const options = { port: 0, credentials };
    expect(await failureOf(listen(options, undefined as never))).toMatchObject({ option: 'handler' });
    expect(await failureOf(serve(options, 'x' as never))).toMatchObject({ option: 'handler' });
  });

  it('has an address until it stops listening', async () => {
    const { server, port } = await started();
    expect(server.address).toMatchObject({ address: '127.0.0.1', port });
    expect(listeningHere()).toContain(server.address);
    await server.close();
    expect(listeningHere()).not.toContain(server.address);
    expect(server.address).toMatchObject({ port });
  });

  it('listens on a Unix socket', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'knsock-'));
    cleanUp.push(() => {
      rmSync(folder, { recursive: true });
    });
    const place = path.join(folder, 'socket');
    const { server } = await started({
      port: undefined,
      host: undefined,
      path: place,
      maxConnectionsPerAddress: 1,
    });
    expect(server.address).toEqual({ path: place });
    const connection = await connect({ path: place, expectedName: 'localhost', credentials: anonymous });
    expect(await ask(connection)).toBe('hello');
    expect([...server.connections()][0]?.remote).toBeNull();
    await connection.close();
  });

  it('reports a port that is in use', async () => {
    const { port } = await started();
    expect(await failureOf(started({ port }))).toMatchObject({ code: 'KNSOCK_PORT_IN_USE' });
  });

  it('ends a connection whose handler fails, and nothing else', async () => {
    let failing = true;
    const { server, port, errors } = await started({}, (connection) => {
      if (failing) throw new Error('broken');
      echo(connection);
    });
    const first = await client(port);
    expect((await first.closed).clean).toBe(false);
    failing = false;
    expect(await ask(await client(port))).toBe('hello');
    expect(errors.map(({ message }) => message)).toEqual(['broken']);
    expect(server.stats().admitted).toBe(2);
  });

  it("reports what an asynchronous handler rejects with, but not its connection's own end", async () => {
    const { port, errors } = await started({}, async (connection) => {
      if ((await connection.receive()) !== null) throw new Error('broken');
      await connection.send('nobody hears it');
    });
    const first = await client(port);
    first.write('x');
    await first.closed;
    const second = await client(port);
    second.destroy();
    await vi.waitFor(() => {
      expect(errors.map(({ message }) => message)).toEqual(['broken']);
    });
  });
});

describe("a client that isn't admitted", () => {
  it('is refused by address before TLS', async () => {
    const heard = hearing(channels.admission);
    const { server, port } = await started({ deny: ['127.0.0.0/8'] });
    const socket = await bare(port);
    await once(socket, 'close');
    await counted(server, {
      accepted: 1,
      refusedSockets: { denied: 1 },
      failedHandshakes: 0,
      pendingHandshakes: 0,
    });
    expect(heard).toEqual([{ address: '127.0.0.1', limit: 'denied' }]);
  });

  it('exceeds the limit of its address, until another leaves', async () => {
    const { server, port } = await started({ maxConnectionsPerAddress: 1 });
    const first = await client(port);
    await failureOf(client(port));
    expect(server.stats().refusedSockets.address).toBe(1);
    await first.close();
    await counted(server, { connections: 0 });
    await turn();
    expect(await ask(await client(port))).toBe('hello');
  });

  it('exceeds the limit where open connections fill it', async () => {
    const { server, port } = await started({ maxConnections: 1 });
    const first = await client(port);
    await failureOf(client(port));
    expect(server.stats()).toMatchObject({ refusedSockets: { connections: 1 }, connections: 1 });
    expect(await ask(first)).toBe('hello');
    await first.close();
    await counted(server, { connections: 0 });
    await turn();
    expect(await ask(await client(port))).toBe('hello');
  });

  it('is the one silent for longest where a new connection needs its place', async () => {
    const { server, port } = await started({ maxConnections: 2 });
    const silent = [await bare(port), await bare(port)];
    await counted(server, { pendingHandshakes: 2 });
    const gone = once(silent[0] as Socket, 'close');
    expect(await ask(await client(port))).toBe('hello');
    await gone;
    expect(silent[1]?.destroyed).toBe(false);
    expect(server.stats()).toMatchObject({
      refusedSockets: { connections: 1 },
      failedHandshakes: 0,
      pendingHandshakes: 1,
    });
  });

  it('is the silent one where too many handshakes are pending', async () => {
    const { server, port } = await started({ maxPendingHandshakes: 1 });
    const silent = await bare(port);
    await counted(server, { pendingHandshakes: 1 });
    const gone = once(silent, 'close');
    expect(await ask(await client(port))).toBe('hello');
    await gone;
    expect(server.stats().refusedSockets.handshakes).toBe(1);
  });

  it('is not one that has sent something: that one stays', async () => {
    let admit!: (yes: boolean) => void;
    const { server, port } = await started({
      maxPendingHandshakes: 1,
      clientCertificates: 'request',
      authorize: () => new Promise((resolve) => (admit = resolve)),
    });
    const first = client(port);
    await vi.waitFor(() => {
      expect(admit).toBeDefined();
    });
    await failureOf(client(port));
    expect(server.stats()).toMatchObject({ refusedSockets: { handshakes: 1 }, pendingHandshakes: 1 });
    admit(true);
    expect(await ask(await first)).toBe('hello');
  });
});

describe('a handshake', () => {
  it("that never begins isn't a failure", async () => {
    const { server, port } = await started();
    const socket = await bare(port);
    await counted(server, { pendingHandshakes: 1 });
    socket.destroy();
    await counted(server, { pendingHandshakes: 0, accepted: 1, failedHandshakes: 0 });
  });

  it("that isn't TLS is a failure, published on its channel", async () => {
    const heard = hearing(channels.failure);
    const { server, port } = await started();
    const socket = await bare(port);
    socket.write('GET / HTTP/1.1\r\n\r\n');
    await once(socket, 'close');
    await counted(server, { failedHandshakes: 1, pendingHandshakes: 0, refusedPeers: 0 });
    expect(heard).toMatchObject([
      { address: expect.stringContaining('127.0.0.1:') as string, suppressed: 0 },
    ]);
    expect(heard[0]?.explanation).toBeDefined();
  });

  it('that is broken off is a failure, once something was sent', async () => {
    const { server, port } = await started();
    const socket = await bare(port);
    socket.write(Buffer.from([0x16, 3, 1]));
    await counted(server, { pendingHandshakes: 1 });
    await turn();
    socket.end();
    await counted(server, { failedHandshakes: 1, pendingHandshakes: 0 });
  });

  it('has a timeout', async () => {
    const heard = hearing(channels.failure);
    const { server, port } = await started({ handshakeTimeout: 30 });
    const socket = await bare(port);
    await once(socket, 'close');
    expect(server.stats()).toMatchObject({ failedHandshakes: 1, pendingHandshakes: 0 });
    expect(heard[0]?.error).toMatchObject({ code: 'KNSOCK_HANDSHAKE_TIMEOUT' });
    expect((heard[0]?.error as Error).message).toMatch(/didn't finish its handshake within 30 ms/);
  });

  it('that succeeds is published on its channel', async () => {
    const heard = hearing(channels.handshake);
    const { port } = await started();
    await client(port);
    const [server] = heard.filter(({ role }) => role === 'server');
    expect(server).toMatchObject({ version: 'TLSv1.3', resumed: false });
    expect(server?.ms).toBeGreaterThan(0);
  });
});

describe('a peer', () => {
  const asking = { clientCertificates: 'require' } as const;

  it('without the certificate that is required is refused, and learns why', async () => {
    const heard = hearing(channels.failure);
    const { server, port } = await started(asking);
    expect(await failureOf(client(port))).toMatchObject({
      code: 'KNSOCK_CLIENT_CERTIFICATE_REFUSED',
      reason: 'no-certificate',
    });
    expect(server.stats()).toMatchObject({ refusedPeers: 1, admitted: 0, failedHandshakes: 0 });
    expect(heard).toContainEqual(
      expect.objectContaining({ error: expect.objectContaining({ reason: 'no-certificate' }) as Error }),
    );
  });

  it('is admitted by certificate and rules, and its identity is passed to the handler', async () => {
    const { server, port, errors } = await started({ ...asking, authorize: { commonNames: ['app'] } });
    expect(await ask(await client(port, { credentials: shows(app) }))).toBe('hello');
    expect([...server.connections()][0]?.peer?.subject).toBe('CN=app');
    expect(await failureOf(client(port, { credentials: shows(web) }))).toMatchObject({
      code: 'KNSOCK_CLIENT_CERTIFICATE_REFUSED',
      reason: 'not-allowed',
    });
    expect(errors).toEqual([]);
  });

  it('is refused where a rule of the program fails, which is reported', async () => {
    const { server, port, errors } = await started({
      ...asking,
      authorize: () => {
        throw new Error('rule broken');
      },
    });
    await failureOf(client(port, { credentials: shows(app) }));
    expect(errors.map(({ message }) => message)).toEqual(['rule broken']);
    expect(server.stats().refusedPeers).toBe(1);
  });

  it('is refused where the verification takes too long, and learns why', async () => {
    let signal: AbortSignal | undefined;
    const { server, port } = await started({
      ...asking,
      handshakeTimeout: 200,
      authorize: (_peer, context) => {
        ({ signal } = context);
        return new Promise(() => undefined);
      },
    });
    await failureOf(client(port, { credentials: shows(app) }));
    expect(signal?.reason).toMatchObject({ code: 'KNSOCK_VERDICT_TIMEOUT' });
    await counted(server, { refusedPeers: 1, pendingHandshakes: 0, failedHandshakes: 0 });
  });

  it('is verified again where a rotation comes before its result', async () => {
    const admit: ((yes: boolean) => void)[] = [];
    const authorize = () => new Promise<boolean>((resolve) => admit.push(resolve));
    const { server, port } = await started({ ...asking, authorize });
    const connecting = client(port, { credentials: shows(app) });
    await vi.waitFor(() => {
      expect(admit).toHaveLength(1);
    });
    await server.rotate({ authorize: { commonNames: ['web'] } });
    admit[0]?.(true);
    expect(await failureOf(connecting)).toMatchObject({ reason: 'not-allowed' });
  });

  it('that is connected is verified against rotated credentials', async () => {
    const { server, port } = await started({ ...asking, authorize: { commonNames: ['app', 'web'] } });
    const [first, second] = [
      await client(port, { credentials: shows(app) }),
      await client(port, { credentials: shows(web) }),
    ];
    await server.rotate({ revocation: crlRevocation({ crls: [makeCrl({ issuer: ca, revoked: [web] })] }) });
    expect((await second.closed).error).toMatchObject({ reason: 'revoked' });
    expect(await ask(first)).toBe('hello');
    expect(server.stats().rotations).toBe(1);
  });

  it('on another framing is disconnected without a reason', async () => {
    const { server, port } = await started({ ...asking, framing: lines() as never });
    await failureOf(
      (async () => {
        const connection = await client(port, { framing: lines() });
        await connection.closed.then(({ error }) => Promise.reject(error ?? new Error('ended')));
      })(),
    );
    await counted(server, { refusedPeers: 1, admitted: 0 });
  });
});

describe('framings', () => {
  it('are chosen by ALPN, the one without a name for clients that offer none', async () => {
    const { server, port } = await started({ framing: [knsock(), lines()] as never });
    const framed = await client(port);
    const plain = await client(port, { framing: lines() });
    await ask(framed);
    await vi.waitFor(() => {
      expect(server.stats().connections).toBe(2);
    });
    expect(framed.tls.alpn).toBe('knsock/1');
    expect(String(await plain.request('line'))).toBe('line');
  });

  it("that the server doesn't support are a mismatch", async () => {
    const heard = hearing(channels.failure);
    const { server, port } = await started({ framing: [knsock()] });
    const socket = tls.connect({
      port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
      ALPNProtocols: ['other/1'],
    });
    socket.on('error', () => undefined);
    await new Promise((resolve) => socket.once('close', resolve));
    await counted(server, { admitted: 0, failedHandshakes: 1 });
    const unnamed = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
    unnamed.on('error', () => undefined).resume();
    await counted(server, { connections: 0, pendingHandshakes: 0 });
    unnamed.destroy();
    expect(heard.length).toBeGreaterThan(0);
  });
});

describe('names', () => {
  const sni = { 'named.test': { credentials: namedCredentials } };

  it('select their own credentials', async () => {
    const { server, port } = await started({ sni });
    const connection = await client(port, { servername: 'named.test' });
    expect(connection.peer?.commonNames).toEqual(['named']);
    expect((await client(port)).peer?.commonNames).toEqual(['us']);
    await vi.waitFor(() => {
      const asked = [...server.connections()].map(({ tls: { servername } }) => servername);
      expect(asked.sort()).toEqual(['localhost', 'named.test']);
    });
  });

  it('that are unknown get the default, or an alert', async () => {
    const open = await started({ sni });
    const other = { servername: 'other.test', expectedName: 'localhost' };
    expect((await client(open.port, other)).peer?.commonNames).toEqual(['us']);
    const heard = hearing(channels.failure);
    const closed = await started({ sni, unknownName: 'refuse' });
    expect(await failureOf(client(closed.port, other))).toMatchObject({ name: 'HandshakeError' });
    expect(await ask(await client(closed.port, { servername: '', expectedName: 'localhost' }))).toBe('hello');
    expect(closed.server.stats()).toMatchObject({ failedHandshakes: 1, admitted: 1 });
    expect((heard[0]?.error as Error).message).toContain('"other.test", which is none of ours');
  });

  it('have their own rules when live peers are verified again', async () => {
    const { server, port } = await started({
      clientCertificates: 'require',
      sni: { 'named.test': { credentials: namedCredentials, authorize: { commonNames: ['web'] } } },
    });
    const byName = await client(port, { servername: 'named.test', credentials: shows(web) });
    const other = await client(port, { credentials: shows(web) });
    await server.rotate({ authorize: { commonNames: ['app'] } });
    expect((await other.closed).error).toMatchObject({ reason: 'not-allowed' });
    expect(await ask(byName)).toBe('hello');
  });
});

describe('a trusted proxy', () => {
  const proxied = { proxyProtocol: { from: ['127.0.0.1'] } };
  const header = {
    source: { address: '192.0.2.7', port: 5_000 },
    destination: { address: '192.0.2.1', port: 443 },
  };

  it("reports the client's address, to which the limits apply", async () => {
    const { server, port } = await started({
      ...proxied,
      deny: ['198.51.100.0/24'],
      maxConnectionsPerAddress: 1,
    });
    const connection = await client(port, { proxyHeader: header });
    expect(await ask(connection)).toBe('hello');
    expect([...server.connections()][0]).toMatchObject({ remote: header.source });
    // A second one of the same client exceeds the limit, of another it doesn't.
    await failureOf(client(port, { proxyHeader: header }));
    expect(server.stats()).toMatchObject({ refusedSockets: { address: 1 }, failedHandshakes: 0 });
    const other = { ...header, source: { address: '192.0.2.8', port: 1 } };
    expect(await ask(await client(port, { proxyHeader: other }))).toBe('hello');
    const denied = { ...header, source: { address: '198.51.100.9', port: 1 } };
    await failureOf(client(port, { proxyHeader: denied }));
    expect(server.stats().refusedSockets.denied).toBe(1);
  });

  it('must send its header', async () => {
    const { server, port } = await started(proxied);
    await failureOf(client(port));
    await counted(server, { failedHandshakes: 1, admitted: 0 });
  });

  it('that sends only its header has begun no handshake', async () => {
    const { server, port } = await started(proxied);
    const socket = await bare(port);
    socket.write('PROXY TCP4 192.0.2.7 192.0.2.1 5000 443\r\n');
    await counted(server, { pendingHandshakes: 1 });
    await turn();
    socket.end();
    await counted(server, { pendingHandshakes: 0, failedHandshakes: 0 });
  });

  it('may request a name after its header', async () => {
    const { port } = await started({ ...proxied, sni: { 'named.test': { credentials: namedCredentials } } });
    const connection = await client(port, { servername: 'named.test', proxyHeader: header });
    expect(connection.peer?.commonNames).toEqual(['named']);
  });
});

describe('before TLS', () => {
  it('the program may exchange data, and TLS continues where it stopped', async () => {
    const { port } = await started({
      beforeTls: async (socket) => {
        const [line] = (await once(socket, 'data')) as [Buffer];
        socket.pause();
        socket.write(`ready for ${String(line)}`);
      },
    });
    const socket = await bare(port);
    socket.write('STARTTLS');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(String(answer)).toBe('ready for STARTTLS');
    const connection = await connect({ socket, expectedName: 'localhost', credentials: anonymous });
    expect(await ask(connection)).toBe('hello');
    await connection.close();
  });

  it('a refusal is sent, counted and published', async () => {
    const heard = hearing(channels.failure);
    const { server, port } = await started({
      beforeTls: (socket) => {
        socket.write('no');
        return Promise.reject(new Error('not today'));
      },
    });
    const socket = await bare(port);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(String(answer)).toBe('no');
    await counted(server, { failedHandshakes: 1, pendingHandshakes: 0 });
    expect(heard).toMatchObject([{ error: { message: 'not today' } }]);
  });

  it('the hook ends when the socket closes, and its signal fires', async () => {
    let signal: AbortSignal | undefined;
    const { server, port } = await started({
      beforeTls: (socket, context) => {
        ({ signal } = context);
        socket.resume();
        return new Promise(() => undefined);
      },
    });
    const socket = await bare(port);
    await counted(server, { pendingHandshakes: 1 });
    socket.resetAndDestroy();
    await counted(server, { pendingHandshakes: 0 });
    expect(signal?.aborted).toBe(true);
  });

  it("the hook runs after a proxy's header", async () => {
    const { server, port } = await started({
      proxyProtocol: { from: ['127.0.0.1'] },
      beforeTls: async (socket) => {
        socket.resume();
        await once(socket, 'data');
        socket.pause();
        socket.write('go');
      },
    });
    const socket = await bare(port);
    socket.write('PROXY TCP4 192.0.2.7 192.0.2.1 5000 443\r\n');
    socket.write('hello');
    await once(socket, 'data');
    const connection = await connect({ socket, expectedName: 'localhost', credentials: anonymous });
    await ask(connection);
    expect([...server.connections()][0]?.remote?.address).toBe('192.0.2.7');
    await connection.close();
  });
});

describe('closing a server', () => {
  it('notifies its clients, waits for work in flight, and stops listening', async () => {
    const drains = hearing(channels.drain);
    let finish!: (answer: string) => void;
    const { server, port } = await started({}, (connection) => {
      connection.onRequest(() => new Promise((resolve) => (finish = resolve)));
    });
    const connection = await client(port);
    const answer = ask(connection);
    await vi.waitFor(() => {
      expect(finish).toBeDefined();
    });
    const closing = server.close({ deadline: 60_000 });
    expect(server.close()).toBe(closing);
    await vi.waitFor(() => {
      expect(connection.state).toBe('draining');
    });
    await failureOf(
      bare(port).then((socket) => once(socket, 'end').then(() => Promise.reject(new Error('cut')))),
    );
    finish('done');
    expect(await answer).toBe('done');
    await closing;
    expect(await connection.closed).toEqual({ clean: true });
    expect(drains).toEqual([{ connections: 1, deadline: 60_000 }]);
  });

  it("cuts off what isn't done by the deadline", async () => {
    const { server, port } = await started({}, (connection) => {
      connection.onRequest(() => new Promise(() => undefined));
    });
    const connection = await client(port);
    void connection.request('x').catch(() => undefined);
    await vi.waitFor(() => {
      expect([...server.connections()][0]?.stats().requestsHandled).toBe(1);
    });
    await server.close({ deadline: 20 });
    expect((await connection.closed).clean).toBe(false);
    expect(server.stats().connections).toBe(0);
  });

  it('closes silent sockets at once', async () => {
    const { server, port } = await started();
    const socket = await bare(port);
    await counted(server, { pendingHandshakes: 1 });
    const gone = once(socket, 'close');
    await server.close({ deadline: 60_000 });
    await gone;
    expect(server.stats().pendingHandshakes).toBe(0);
  });

  it('refuses unknown options', async () => {
    const { server } = await started();
    await expect(server.close({ dedline: 1 } as never)).rejects.toThrow(/dedline/);
    await expect(server.close({ deadline: -1 })).rejects.toThrow(/deadline/);
    await server[Symbol.asyncDispose]();
  });

  it('can be done by its signal, before and after it listens', async () => {
    const controller = new AbortController();
    const { server, port } = await started({ signal: controller.signal });
    const connection = await client(port);
    controller.abort();
    expect(await connection.closed).toEqual({ clean: true });
    await server.close();
    const reason = new Error('never mind');
    expect(await failureOf(started({ signal: AbortSignal.abort(reason) }))).toBe(reason);
    const late = new AbortController();
    const starting = started({ signal: late.signal });
    late.abort(reason);
    expect(await failureOf(starting)).toBe(reason);
  });

  it('ends a connection that is admitted while it closes', async () => {
    let admit!: (yes: boolean) => void;
    const { server, port } = await started({
      clientCertificates: 'request',
      authorize: () => new Promise((resolve) => (admit = resolve)),
    });
    const connecting = client(port);
    await vi.waitFor(() => {
      expect(admit).toBeDefined();
    });
    const closing = server.close({ deadline: 10_000 });
    admit(true);
    const connection = await connecting;
    expect((await connection.closed).clean).toBe(true);
    await closing;
  });
});

describe('a lifetime', () => {
  it('ends a connection, plus or minus a tenth', async () => {
    const { port } = await started({ maxLifetime: 20 });
    const connection = await client(port);
    expect(await connection.closed).toEqual({ clean: true });
  });
});

describe('a framing of its own on another port', () => {
  it('answers in order', async () => {
    const server = await serve(
      { port: 0, host: '127.0.0.1', credentials, framing: lengthPrefixed() },
      ({ payload }) => payload,
    );
    cleanUp.push(() => server.close());
    const connection = await client(portOf(server), { framing: lengthPrefixed() });
    const answers = await Promise.all(['a', 'b'].map((what) => ask(connection, what)));
    expect(answers).toEqual(['a', 'b']);
  });
});

describe('the secrets of connections', () => {
  it('are published only while there are subscribers', async () => {
    const { port } = await started();
    await client(port);
    const heard = hearing(channels.keylog);
    await client(port);
    const lines = heard.filter(({ role }) => role === 'server').map(({ line }) => String(line));
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.every((line) => /^(CLIENT|SERVER|EXPORTER)_/.test(line))).toBe(true);
    for (const clean of cleanUp.splice(-2)) await clean(); // the listener and that client
    const before = heard.length;
    await client(port);
    expect(heard).toHaveLength(before);
  });
});

describe('a framing that needs no ALPN', () => {
  it('is chosen where the client offers none, though it has an ALPN name', async () => {
    for (const framing of [raw({ alpn: 'x/1', alpnOptional: true }), raw({ alpn: 'x/1' })]) {
      const { port, server } = await started({ framing }, (connection) => {
        connection.write('hello');
      });
      const socket = tls.connect({ port, host: '127.0.0.1', servername: 'localhost', ca: ca.pem });
      cleanUp.push(() => socket.destroy());
      socket.on('error', () => undefined);
      const data = once(socket, 'data').then(([heard]) => String(heard));
      const closed = once(socket, 'close').then(() => 'closed');
      const isOptional = framing.alpnOptional === true;
      expect(await Promise.race([data, closed.then(() => 'refused')])).toBe(isOptional ? 'hello' : 'refused');
      data.catch(() => undefined);
      expect(server.stats().refusedPeers).toBe(isOptional ? 0 : 1);
    }
  });

  it('lists the supported ones where none fits', async () => {
    const heard = hearing(channels.failure);
    const { port } = await started({ framing: [raw({ alpn: 'x/1' }), raw({ alpn: 'y/1' })] });
    const socket = tls.connect({ port, host: '127.0.0.1', servername: 'localhost', ca: ca.pem });
    cleanUp.push(() => socket.destroy());
    socket.on('error', () => undefined);
    await once(socket, 'close');
    expect((heard[0]?.error as Error).message).toContain('spoken here: raw, raw');
  });
});

describe('a peer that leaves', () => {
  it("while it is verified frees its place at once, and isn't counted as refused", async () => {
    let asked: AbortSignal | undefined;
    const { server, port } = await started({
      clientCertificates: 'require',
      authorize: (_peer, { signal }) => {
        asked = signal;
        return new Promise(() => undefined);
      },
    });
    const socket = tls.connect({
      port,
      host: '127.0.0.1',
      servername: 'localhost',
      ca: ca.pem,
      cert: app.pem,
      key: app.keyPem,
      ALPNProtocols: ['knsock/1'],
    });
    socket.on('error', () => undefined);
    await vi.waitFor(() => {
      expect(asked).toBeDefined();
    });
    socket.destroy();
    await counted(server, { pendingHandshakes: 0, failedHandshakes: 1, refusedPeers: 0 });
    expect(asked?.aborted).toBe(true);
  });

  it('before TLS, while the hook still runs, does too', async () => {
    let given: AbortSignal | undefined;
    const { server, port } = await started({
      beforeTls: (socket, { signal }) => {
        given = signal;
        socket.resume();
        return new Promise(() => undefined);
      },
    });
    const socket = await bare(port);
    socket.write('x');
    await vi.waitFor(() => {
      expect(given).toBeDefined();
    });
    socket.end();
    await counted(server, { pendingHandshakes: 0, failedHandshakes: 1 });
    expect(given?.aborted).toBe(true);
  });
});

describe('a server at the end of its scope', () => {
  it('is closed', async () => {
    const { server, port } = await started();
    await server[Symbol.asyncDispose]();
    await expect(client(port)).rejects.toMatchObject({ code: 'KNSOCK_CONNECTION_REFUSED' });
  });

  it('cuts off a connection that had been given more time', async () => {
    const { server, port } = await started({}, (connection) => {
      connection.onRequest(() => new Promise(() => undefined));
    });
    const connection = await client(port);
    void connection.request('x').catch(() => undefined);
    await vi.waitFor(() => {
      expect([...server.connections()][0]?.stats().requestsHandled).toBe(1);
    });
    const [near] = server.connections();
    void near?.close({ deadline: 60_000 });
    await server.close({ deadline: 20 });
    expect((await near?.closed)?.error?.message).toMatch(/within 20 ms/);
  });
});
