/** Node's deadlines, which don't run in a server that never listened unless they are started. */
import { createServer } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { HttpServer } from '@knsock/core/http';
import { dialBare, readAll, serveApp } from './stage.js';

/** Sends one byte after the other until the server has had enough. */
async function dribble(server: HttpServer, begin: string): Promise<string> {
  const socket = await dialBare(server);
  socket.write(begin);
  const feed = setInterval(() => {
    // Between the server's end and the close a write is an error of this client.
    if (!socket.readableEnded) socket.write('a');
  }, 10);
  try {
    return await readAll(socket);
  } finally {
    clearInterval(feed);
  }
}

/** Resolves once the server has no connection left. */
async function allGone(server: HttpServer): Promise<void> {
  await Promise.all([...server.connections()].map(({ closed }) => closed));
}

const short = { headersTimeout: 150, requestTimeout: 300, connectionsCheckingInterval: 20 };
const own = () => createServer(short, (request, response) => request.pipe(response));
const app = (): void => undefined;

describe.each<[string, () => Promise<HttpServer>]>([
  ['a listener', () => serveApp(app, { http: short })],
  ["a server of the program's", () => serveApp(own())],
])('over %s', (_name, serve) => {
  it('headers that dribble in are answered 408 and cut off', async () => {
    await using server = await serve();
    const text = await dribble(server, 'GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ');
    expect(text).toContain('408 Request Timeout');
  });

  it('a body that stalls is cut off', async () => {
    await using server = await serve();
    const socket = await dialBare(server);
    socket.write('POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nbegin');
    // The program's server has begun its answer by then, which is cut off.
    expect(await readAll(socket)).not.toContain('\r\n0\r\n');
    await allGone(server);
  });

  it('a client that says nothing is cut off', async () => {
    await using server = await serve();
    expect(await readAll(await dialBare(server))).toContain('408 Request Timeout');
  });
});

it("a server of the program's on two ports keeps its deadlines when one of them closes", async () => {
  const http = own();
  await using first = await serveApp(http);
  const second = await serveApp(http);
  await second.close();
  expect(await dribble(first, 'GET / HTTP/1.1\r\nX-Slow: ')).toContain('408');
});

it('headers over the limit are answered 431', async () => {
  await using server = await serveApp(app, { http: { maxHeaderSize: 2_048 } });
  const socket = await dialBare(server);
  socket.write(`GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: ${'x'.repeat(5_000)}\r\n\r\n`);
  expect(await readAll(socket)).toContain('431');
});

it.each([
  ['two lengths', 'Content-Length: 5\r\nContent-Length: 6\r\n'],
  ['a length beside chunks', 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n'],
  ['a space before the colon', 'Content-Length : 5\r\n'],
])(
  'a request with %s is answered 400, and what follows it never reaches the program',
  async (_what, headers) => {
    let requests = 0;
    await using server = await serveApp((_request, response) => {
      requests += 1;
      response.end();
    });
    const socket = await dialBare(server);
    socket.write(
      `POST / HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n`,
    );
    expect(await readAll(socket)).toContain('400 Bad Request');
    expect(requests).toBeLessThanOrEqual(1);
  },
);
