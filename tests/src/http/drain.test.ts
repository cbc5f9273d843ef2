/** How an HTTP server ends: nobody is cut off in the middle, and nobody idle holds it up. */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { connectionOf, type HttpServer } from '@knsock/core/http';
import { dialBare, readAll, readUntil, serveApp, world } from './stage.js';

const GET = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n';

/** A server that keeps its responses until they are asked for. */
async function patientServer(
  options = {},
): Promise<{ server: HttpServer; next: () => Promise<ServerResponse> }> {
  const responses: ServerResponse[] = [];
  const server = await serveApp((_request, response) => {
    responses.push(response);
  }, options);
  const next = async (): Promise<ServerResponse> => {
    while (responses.length === 0) await once(server.http, 'request');
    return responses.shift() as ServerResponse;
  };
  return { server, next };
}

function received(server: HttpServer): number {
  const [connection] = server.connections();
  return connection?.stats().bytesReceived ?? 0;
}

it('ends connections that stay idle, and those that never asked', async () => {
  const server = await serveApp((_request, response) => response.end('hello'));
  const silent = await dialBare(server);
  const idle = await dialBare(server);
  idle.write(GET);
  await readUntil(idle, 'hello');
  const ends = Promise.all([readAll(silent), readAll(idle)]);
  await server.close();
  expect(await ends).toEqual(['', '']);
});

it('ends an idle connection whose answer came before all of its request, once the rest is there', async () => {
  const server = await serveApp((_request, response) => {
    response.statusCode = 404;
    response.end('nothing here');
  });
  const socket = await dialBare(server);
  socket.write('POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\na');
  await readUntil(socket, 'nothing here');
  const [connection] = server.connections();
  const before = received(server);
  socket.write('b');
  while (connection?.stats().bytesReceived === before) await turn();
  await turn();
  const ends = readAll(socket);
  await server.close();
  expect(await ends).toBe('');
});

it('waits at its end for the rest of a request that was answered before, and ends then', async () => {
  const server = await serveApp((_request, response) => response.end('enough'));
  const socket = await dialBare(server);
  socket.write('POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\na');
  await readUntil(socket, 'enough');
  const closing = server.close();
  const ends = readAll(socket);
  await turn();
  socket.write('b');
  expect(await ends).toBe('');
  await closing;
});

it('answers what is under way with Connection: close, and resolves then', async () => {
  const { server, next } = await patientServer();
  const socket = await dialBare(server);
  socket.write(GET);
  const response = await next();
  const closing = server.close();
  response.end('late');
  const text = await readAll(socket);
  expect(text).toContain('Connection: close');
  expect(text).toContain('late');
  await closing;
});

it('lets an answer end whose headers are out already', async () => {
  const { server, next } = await patientServer();
  const socket = await dialBare(server);
  socket.write(GET);
  const response = await next();
  response.write('begin ');
  await readUntil(socket, 'begin');
  const closing = server.close();
  response.end('end');
  expect(await readAll(socket)).toContain('end');
  await closing;
});

it('answers a request of which only a part has come', async () => {
  const { server, next } = await patientServer();
  const socket = await dialBare(server);
  socket.write(GET);
  (await next()).end('early');
  await readUntil(socket, 'early');
  const before = received(server);
  socket.write('GET / HTTP/1.1\r\nHost: local');
  while (received(server) === before) await turn();
  const closing = server.close();
  socket.write('host\r\n\r\n');
  (await next()).end('late');
  expect(await readAll(socket)).toContain('Connection: close');
  await closing;
});

it("cuts off what isn't done by the deadline", async () => {
  const { server, next } = await patientServer();
  const socket = await dialBare(server);
  socket.write(GET);
  await next();
  const closing = server.close({ deadline: 50 });
  await expect(readAll(socket)).rejects.toMatchObject({ code: 'ECONNRESET' });
  await closing;
});

/** Ends by `end`, between two requests, as soon as the connection is about to end. */
async function askAgain(server: HttpServer, end: () => Promise<void>): Promise<string> {
  const socket = await dialBare(server);
  socket.write(GET);
  await readUntil(socket, 'hello');
  const [connection] = server.connections();
  const draining = new Promise<void>((resolve) => connection?.onDraining(resolve));
  const ended = end();
  await draining;
  await turn();
  // It was on its way when the server decided.
  socket.write(GET);
  const text = await readAll(socket);
  await ended;
  return text;
}

it('answers a request that comes when maxLifetime is over, with Connection: close', async () => {
  await using server = await serveApp((_request, response) => response.end('hello'), { maxLifetime: 100 });
  const text = await askAgain(server, () => Promise.resolve());
  expect(text).toMatch(/^HTTP\/1.1 200 OK\r\nConnection: close\r\n[^]*hello$/u);
});

it('answers a request that comes when the server begins to close, with Connection: close', async () => {
  const server = await serveApp((_request, response) => response.end('hello'));
  const text = await askAgain(server, () => server.close());
  expect(text).toMatch(/^HTTP\/1.1 200 OK\r\nConnection: close\r\n[^]*hello$/u);
});

it('answers a request that comes when the signal closes the server, with Connection: close', async () => {
  const stop = new AbortController();
  const server = await serveApp((_request, response) => response.end('hello'), { signal: stop.signal });
  const text = await askAgain(server, () => {
    stop.abort();
    return server.close();
  });
  expect(text).toMatch(/^HTTP\/1.1 200 OK\r\nConnection: close\r\n[^]*hello$/u);
});

it('ends an idle connection after maxLifetime before the deadline resets it, without keepAliveTimeout too', async () => {
  await using server = await serveApp((_request, response) => response.end('hello'), {
    maxLifetime: 50,
    drainTimeout: 400,
    http: { keepAliveTimeout: 0 },
  });
  const socket = await dialBare(server);
  socket.write(GET);
  expect(await readAll(socket)).toContain('hello');
});

it('ends an idle connection before a short deadline resets it', async () => {
  const server = await serveApp((_request, response) => response.end('hello'));
  const socket = await dialBare(server);
  socket.write(GET);
  await readUntil(socket, 'hello');
  const ends = readAll(socket);
  await server.close({ deadline: 400 });
  expect(await ends).toBe('');
});

it('ends an idle connection whose lifetime is over as soon as a close demands', async () => {
  const server = await serveApp((_request, response) => response.end('hello'), {
    maxLifetime: 50,
    http: { keepAliveTimeout: 60_000 },
    drainTimeout: 60_000,
  });
  const socket = await dialBare(server);
  socket.write(GET);
  await readUntil(socket, 'hello');
  const [connection] = server.connections();
  await new Promise<void>((resolve) => connection?.onDraining(resolve));
  const ends = readAll(socket);
  await server.close();
  expect(await ends).toBe('');
});

it('closes by its signal', async () => {
  const stop = new AbortController();
  const server = await serveApp((_request, response) => response.end('hello'), { signal: stop.signal });
  const socket = await dialBare(server);
  stop.abort();
  await readAll(socket);
  await server.close();
  expect([...server.connections()]).toHaveLength(0);
});

it('tells an upgraded connection of the drain, which its program ends', async () => {
  const server = await serveApp(() => undefined);
  server.http.on('upgrade', (request, socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');
    connectionOf(request)?.onDraining(() => socket.end('goodbye'));
  });
  const socket = await dialBare(server);
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');
  await readUntil(socket, '101');
  const closing = server.close();
  expect(await readAll(socket)).toBe('goodbye');
  await closing;
});

it('ends the connections of peers that a rotation no longer trusts', async () => {
  await using server = await serveApp((_request, response) => response.end('hello'), {
    clientCertificates: 'require',
    authorize: { commonNames: ['app'] },
  });
  const socket = await dialBare(server, { ...world.client.material });
  socket.write(GET);
  await readUntil(socket, 'hello');
  const ended = expect(readAll(socket)).rejects.toMatchObject({ code: 'ECONNRESET' });
  await server.rotate({ authorize: { commonNames: ['another client'] } });
  await ended;
});
