/** The frameworks that people have, served as they are, and asked by a client of ours. */
import { createServer, type IncomingMessage } from 'node:http';
import express from 'express';
import fastify from 'fastify';
import { getRequestListener, type HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import { Agent, fetch } from 'undici';
import { afterAll, describe, expect, it } from 'vitest';
import { peerOf, undiciConnector, type HttpServer } from '@knsock/core/http';
import { portOf, serveApp, world } from './stage.js';

const agent = new Agent({ connect: undiciConnector({ credentials: world.client }) });
afterAll(() => agent.close());

const mutual = { clientCertificates: 'require' } as const;

/** What each application answers to a POST. */
interface Answer {
  readonly who: string;
  readonly echo: unknown;
  readonly encrypted: boolean;
}

async function ask(server: HttpServer): Promise<Answer> {
  const response = await fetch(`https://localhost:${portOf(server)}/who`, {
    dispatcher: agent,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ size: 'x'.repeat(100_000) }),
  });
  expect(response.status).toBe(200);
  return (await response.json()) as Answer;
}

function answer(request: IncomingMessage, echo: unknown): Answer {
  const { encrypted } = request.socket as unknown as { encrypted: boolean };
  return { who: peerOf(request)?.commonNames[0] ?? 'nobody', echo, encrypted };
}

const expected = { who: 'app', encrypted: true, echo: { size: 'x'.repeat(100_000) } };

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString()) as unknown;
}

describe('serves', () => {
  it('a request listener', async () => {
    await using server = await serveApp(async (request, response) => {
      response.end(JSON.stringify(answer(request, await bodyOf(request))));
    }, mutual);
    expect(await ask(server)).toEqual(expected);
  });

  it("an http.Server that doesn't listen", async () => {
    const http = createServer((request, response) => {
      void bodyOf(request).then((echo) => response.end(JSON.stringify(answer(request, echo))));
    });
    await using server = await serveApp(http, mutual);
    expect(server.http).toBe(http);
    expect(await ask(server)).toEqual(expected);
  });

  it('an Express application', async () => {
    const app = express();
    app.use(express.json({ limit: '1mb' }));
    app.post('/who', (request, response) => {
      response.json({ ...answer(request, request.body), secure: request.secure, ip: request.ip });
    });
    await using server = await serveApp(app, mutual);
    expect(await ask(server)).toEqual({ ...expected, secure: true, ip: '127.0.0.1' });
  });

  it('a Fastify application', async () => {
    const app = fastify();
    app.post('/who', (request) => ({
      ...answer(request.raw, request.body),
      protocol: request.protocol,
      ip: request.ip,
    }));
    await app.ready();
    await using server = await serveApp((request, response) => {
      app.routing(request, response);
    }, mutual);
    expect(await ask(server)).toEqual({ ...expected, protocol: 'https', ip: '127.0.0.1' });
    await app.close();
  });

  it('a Hono application', async () => {
    const app = new Hono<{ Bindings: HttpBindings }>();
    app.post('/who', async (context) =>
      context.json({
        ...answer(context.env.incoming, await context.req.json()),
        url: context.req.url,
      }),
    );
    const listener = getRequestListener(app.fetch);
    await using server = await serveApp((request, response) => {
      void listener(request, response);
    }, mutual);
    expect(await ask(server)).toEqual({ ...expected, url: `https://localhost:${portOf(server)}/who` });
  });
});
