/** Answers that come before their request has gone out: the agent's sockets must say that bytes of it are unsent. */
import { once } from 'node:events';
import type { IncomingMessage, RequestListener } from 'node:http';
import { createServer as createHttps, request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream';
import { Agent, request as undiciRequest } from 'undici';
import { describe, expect, it } from 'vitest';
import { SecureAgent, undiciConnector } from '@knsock/core/http';
import { bare } from '../support/raw-tls.js';
import { portOf, serveApp, world } from './stage.js';

const MIB = 1_048_576;

/** Answers at once, whatever is being sent to it, or sends back what comes. */
const app: RequestListener = (request, response) => {
  if (request.url === '/echo') {
    pipeline(request, response, () => undefined);
    return;
  }
  response.writeHead(request.method === 'POST' ? 401 : 200);
  response.end('x');
};

async function bareServer(): Promise<AsyncDisposable & { port: number }> {
  const server = createHttps(bare(world.server), app);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () => {
      server.closeAllConnections();
      server.close();
      return Promise.resolve();
    },
  };
}

async function ourServer(): Promise<AsyncDisposable & { port: number }> {
  const server = await serveApp(app);
  return { port: portOf(server), [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

/** One request; resolves with the status and the length of the body, and counts how often it was sent. */
async function ask(agent: SecureAgent, port: number, path: string, body: Buffer | null) {
  const request = httpsRequest({
    host: 'localhost',
    port,
    path,
    agent,
    method: body === null ? 'GET' : 'POST',
  });
  let finished = 0;
  request.on('finish', () => (finished += 1));
  const closed = once(request, 'close');
  const responded = once(request, 'response');
  request.end(body);
  const [response] = (await responded) as [IncomingMessage];
  let length = 0;
  for await (const chunk of response) length += (chunk as Buffer).length;
  return { status: response.statusCode, length, sent: closed.then(() => finished) };
}

describe.each([
  ['node:https', bareServer],
  ['serveHttp', ourServer],
])('towards %s', (_name, serve) => {
  it.each([5, 30])('a kept agent goes on after uploads of %i MiB that were answered unread', async (size) => {
    await using server = await serve();
    const agent = new SecureAgent({ credentials: world.anonymous });
    const outcomes: unknown[] = [];
    for (let n = 0; n < 3; n += 1) {
      for (const body of [Buffer.alloc(size * MIB), null]) {
        const { status, sent } = await ask(agent, server.port, '/', body);
        outcomes.push(status);
        if (body === null) expect(await sent).toBe(1);
      }
    }
    expect(outcomes).toEqual([401, 200, 401, 200, 401, 200]);
    agent.destroy();
  });

  it('a body comes back while it is sent, however much of it waits', async () => {
    await using server = await serve();
    const agent = new SecureAgent({ credentials: world.anonymous, maxQueuedBytes: 65_536 });
    for (let n = 0; n < 2; n += 1)
      expect(await ask(agent, server.port, '/echo', Buffer.alloc(20 * MIB))).toMatchObject({
        status: 200,
        length: 20 * MIB,
      });
    agent.destroy();
  });

  it('undici goes on in the same way', async () => {
    await using server = await serve();
    const dispatcher = new Agent({ connect: undiciConnector({ credentials: world.anonymous }) });
    const url = `https://localhost:${server.port}/`;
    for (let n = 0; n < 3; n += 1) {
      const upload = await undiciRequest(url, { dispatcher, method: 'POST', body: Buffer.alloc(5 * MIB) });
      expect([upload.statusCode, await upload.body.text()]).toEqual([401, 'x']);
      const next = await undiciRequest(url, { dispatcher });
      expect([next.statusCode, await next.body.text()]).toEqual([200, 'x']);
    }
    await dispatcher.destroy();
  });
});
