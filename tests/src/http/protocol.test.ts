/** HTTP as Node speaks it, over our connections: what is negotiated, kept, asked for and taken over. */
import { once } from 'node:events';
import { createServer, Server } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect as connectTcp } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import { afterAll, describe, expect, it } from 'vitest';
import { connectionOf, SecureAgent, serveHttp, type HttpServer } from '@knsock/core/http';
import { dialBare, portOf, readAll, readUntil, serveApp, world } from './stage.js';

const agent = new SecureAgent({ credentials: world.anonymous });
afterAll(() => {
  agent.destroy();
});

const GET = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n';
const UPGRADE = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n';
const EXPECT = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n';

describe('ALPN', () => {
  it('negotiates http/1.1 with a client that offers more', async () => {
    await using server = await serveApp((_request, response) => response.end('hello'));
    const socket = await dialBare(server, { ALPNProtocols: ['h2', 'http/1.1'] });
    expect(socket.alpnProtocol).toBe('http/1.1');
    socket.write(GET);
    expect(await readUntil(socket, 'hello')).toContain('200 OK');
    socket.destroy();
  });

  it('serves a client that offers nothing', async () => {
    await using server = await serveApp((_request, response) => response.end('hello'));
    const socket = await dialBare(server, {});
    socket.write(GET);
    expect(await readUntil(socket, 'hello')).toContain('200 OK');
    socket.destroy();
  });

  it.each([['h2'], ['knsock/1']])('refuses a client that offers %s alone', async (protocol) => {
    await using server = await serveApp((_request, response) => response.end('hello'));
    const refused = dialBare(server, { ALPNProtocols: [protocol] });
    await expect(refused).rejects.toThrow(/no application protocol/i);
    expect(server.stats().failedHandshakes).toBe(1);
  });
});

describe('a connection', () => {
  it('is kept for the next request', async () => {
    const ids: (number | undefined)[] = [];
    await using server = await serveApp((request, response) => {
      ids.push(connectionOf(request)?.id);
      response.end('hello');
    });
    const socket = await dialBare(server);
    for (let count = 0; count < 3; count += 1) {
      socket.write(GET);
      expect(await readUntil(socket, 'hello')).toContain('Connection: keep-alive');
    }
    expect(new Set(ids).size).toBe(1);
    expect(ids).toHaveLength(3);
    socket.destroy();
  });

  it('ends after it was idle for keepAliveTimeout', async () => {
    await using server = await serveApp((_request, response) => response.end('hello'), {
      http: { keepAliveTimeout: 50 },
    });
    const socket = await dialBare(server);
    socket.write(GET);
    expect(await readAll(socket)).toContain('hello');
  });

  it('ends where the client asks for it, after all of a large answer', async () => {
    const body = 'x'.repeat(3_000_000);
    await using server = await serveApp((_request, response) => response.end(body));
    const socket = await dialBare(server);
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    const text = await readAll(socket);
    expect(text.length - text.indexOf('\r\n\r\n') - 4).toBe(body.length);
  });
});

it('asks for the body of a client that waits to be asked', async () => {
  await using server = await serveApp((request, response) => {
    request.pipe(response);
  });
  const socket = await dialBare(server);
  socket.write('PUT / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n');
  expect(await readUntil(socket, '\r\n\r\n')).toBe('HTTP/1.1 100 Continue\r\n\r\n');
  socket.write('12345');
  expect(await readUntil(socket, '12345')).toContain('200 OK');
  socket.destroy();
});

it('carries WebSockets of ws, both ways, with who is connected', async () => {
  await using server = await serveApp((_request, response) => response.end(), {
    clientCertificates: 'require',
  });
  const sockets = new WebSocketServer({ server: server.http });
  sockets.on('connection', (socket, request) => {
    socket.on('message', (message: Buffer) => {
      socket.send(`${connectionOf(request)?.peer?.commonNames[0] ?? 'nobody'}: ${message.toString()}`);
    });
  });
  const own = new SecureAgent({ credentials: world.client });
  const client = new WebSocket(`wss://localhost:${portOf(server)}/`, { agent: own });
  await once(client, 'open');
  client.send('hello');
  const [reply] = (await once(client, 'message')) as [Buffer];
  expect(reply.toString()).toBe('app: hello');
  const closed = once(client, 'close');
  for (const socket of sockets.clients) socket.close(1001);
  expect((await closed)[0]).toBe(1001);
  own.destroy();
});

it('outlives a WebSocket client that is reset before its upgrade is taken', async () => {
  await using server = await serveApp((_request, response) => response.end('hello'));
  const upgraded = once(server.http, 'upgrade');
  const below = connectTcp(portOf(server), '127.0.0.1');
  const socket = await dialBare(server, { socket: below });
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  const [request] = (await upgraded) as [Parameters<typeof connectionOf>[0]];
  const gone = connectionOf(request)?.closed;
  below.resetAndDestroy();
  await gone;
  const next = await dialBare(server);
  next.write(GET);
  expect(await readUntil(next, 'hello')).toContain('200 OK');
  next.destroy();
});

it('takes a whole upload and sends a whole download with back-pressure', async () => {
  await using server = await serveApp((request, response) => {
    request.pipe(response);
  });
  const size = 8_000_000;
  const request = httpsRequest({ host: 'localhost', port: portOf(server), method: 'POST', agent });
  request.end(Buffer.alloc(size, 'x'));
  const [response] = (await once(request, 'response')) as [AsyncIterable<Buffer>];
  let received = 0;
  for await (const chunk of response) received += chunk.length;
  expect(received).toBe(size);
});

describe('a listener that fails', () => {
  /** As an async function that fails after an await. */
  const later = (fail: () => never) => (() => Promise.resolve().then(fail)) as () => void;

  it.each([
    [
      'throws',
      () => {
        throw new Error('on purpose');
      },
    ],
    ['rejects', () => Promise.reject(new Error('on purpose'))],
  ])('and %s answers 500, is reported, and ends nothing else', async (_how, app) => {
    const reported: string[] = [];
    await using server = await serveApp(app, {
      onError: (error) => void reported.push(error.message),
    });
    const socket = await dialBare(server);
    socket.write(GET);
    expect(await readAll(socket)).toContain('500 Internal Server Error');
    expect(reported).toEqual(['on purpose']);
    const next = await dialBare(server);
    next.write(GET);
    expect(await readAll(next)).toContain('500 Internal Server Error');
  });

  it.each<[string, (server: HttpServer, fail: () => never) => unknown, string]>([
    ['an upgrade', ({ http }, fail) => http.on('upgrade', fail), UPGRADE],
    ['an upgrade, later', ({ http }, fail) => http.on('upgrade', later(fail)), UPGRADE],
    ['a tunnel', ({ http }, fail) => http.on('connect', fail), 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n'],
    ['a request that waits', ({ http }, fail) => http.on('checkContinue', fail), EXPECT],
    ['a request that waits, later', ({ http }, fail) => http.on('checkContinue', later(fail)), EXPECT],
    ['a request to a server that the program made', ({ http }, fail) => http.on('request', fail), GET],
  ])('on %s answers 500, is reported, and ends nothing else', async (_what, add, words) => {
    const reported: string[] = [];
    await using server = await serveApp(createServer(), {
      onError: (error) => void reported.push(error.message),
    });
    add(server, () => {
      throw new Error('on purpose');
    });
    for (let n = 1; n <= 2; n += 1) {
      const socket = await dialBare(server);
      socket.write(words);
      expect(await readAll(socket)).toMatch(/^HTTP\/1.1 500 /);
      expect(reported).toHaveLength(n);
    }
    expect(new Set(reported)).toEqual(new Set(['on purpose']));
  });

  it('on an upgrade that it has answered cuts the connection off', async () => {
    await using server = await serveApp(createServer(), { onError: () => undefined });
    server.http.on('upgrade', (_request, socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n');
      throw new Error('on purpose');
    });
    const socket = await dialBare(server);
    socket.write(UPGRADE);
    const ended = new Promise<void>((closed) => socket.once('close', () => closed()));
    let answer = '';
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
    await ended;
    expect(answer).not.toContain('500');
    await server.close({ deadline: 20_000 });
  });

  it('half-way through its answer cuts the answer off', async () => {
    await using server = await serveApp(
      (_request, response) => {
        response.write('half');
        throw new Error('on purpose');
      },
      { onError: () => undefined },
    );
    const socket = await dialBare(server);
    socket.write(GET);
    expect(await readAll(socket)).not.toContain('\r\n0\r\n');
  });
});

describe('refuses at once', () => {
  const invalid = (message: RegExp | string) =>
    expect.objectContaining({
      code: 'KNSOCK_INVALID_OPTION',
      message: expect.stringMatching(message) as string,
    }) as Error;
  const app = (): void => undefined;

  it("a lenient parser, of its own or of the program's server", async () => {
    await expect(serveApp(app, { http: { insecureHTTPParser: true as false } })).rejects.toEqual(
      invalid('smuggled'),
    );
    await expect(serveApp(createServer({ insecureHTTPParser: true }))).rejects.toEqual(invalid('smuggled'));
  });

  it("options that mean nothing to HTTP, or that the program's server has itself", async () => {
    await expect(serveApp(app, { requestTimeout: 1 } as object)).rejects.toEqual(
      invalid('http.requestTimeout'),
    );
    await expect(serveApp(app, { http: { maxHeadersize: 1 } as object })).rejects.toEqual(
      invalid('did you mean maxHeaderSize'),
    );
    await expect(serveApp(new Server(), { http: {} })).rejects.toEqual(invalid('its own options'));
    await expect(serveHttp({ port: 0, credentials: world.server }, {} as never)).rejects.toEqual(
      invalid('request listener'),
    );
  });
});
