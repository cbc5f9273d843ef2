/** What a request and its agent may do while the connection is being made, as with Node's own agent. */
import { once } from 'node:events';
import { Agent as NodeAgent, request as httpsRequest, type RequestOptions } from 'node:https';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { Agent, request } from 'undici';
import { describe, expect, it } from 'vitest';
import { SecureAgent, undiciConnector, type HttpSocket } from '@knsock/core/http';
import { portOf, serveApp, world } from './stage.js';

/** A server that accepts, and says nothing. */
async function silentServer(): Promise<AsyncDisposable & { port: number; accepted: Promise<Socket> }> {
  const server: Server = createServer();
  const accepted = once(server, 'connection').then(([socket]) => (socket as Socket).resume());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    accepted,
    async [Symbol.asyncDispose]() {
      (await accepted).destroy();
      server.close();
    },
  };
}

function ask(port: number, agent: NodeAgent, options: RequestOptions = {}) {
  const asked = httpsRequest({ host: 'localhost', port, agent, ...options });
  asked.end();
  return asked;
}

const failure = async (asked: ReturnType<typeof ask>) => (await once(asked, 'error')) as [unknown];

// Node's own agent says what is right.
describe.each<[string, () => NodeAgent]>([
  ['node:https', () => new NodeAgent({ ca: world.authority.root })],
  ['SecureAgent', () => new SecureAgent({ credentials: world.anonymous })],
])('%s, while it connects to a silent server', (_name, makeAgent) => {
  it('fails a request by its signal, and gives the attempt up', async () => {
    await using server = await silentServer();
    const stop = new AbortController();
    const asked = ask(server.port, makeAgent(), { signal: stop.signal });
    const failed = failure(asked);
    const socket = await server.accepted;
    const left = once(socket, 'close');
    stop.abort();
    expect(await failed).toMatchObject([{ name: 'AbortError', code: 'ABORT_ERR' }]);
    await left;
  });

  it('fails a request that is destroyed with its error, and without one as hung up', async () => {
    for (const error of [new Error('enough'), undefined]) {
      await using server = await silentServer();
      const asked = ask(server.port, makeAgent());
      const failed = failure(asked);
      const left = once(await server.accepted, 'close');
      asked.destroy(error);
      expect(await failed).toMatchObject([error ?? { code: 'ECONNRESET', message: 'socket hang up' }]);
      await left;
    }
  });

  it('fails all requests when the agent is destroyed', async () => {
    await using server = await silentServer();
    const agent = makeAgent();
    const failed = failure(ask(server.port, agent));
    const left = once(await server.accepted, 'close');
    agent.destroy();
    expect(await failed).toMatchObject([{ code: 'ECONNRESET', message: 'socket hang up' }]);
    await left;
  });

  it("emits 'timeout', and leaves it to the program to end the request", async () => {
    await using server = await silentServer();
    const asked = ask(server.port, makeAgent(), { timeout: 20 });
    await once(asked, 'timeout');
    const failed = failure(asked);
    asked.destroy(new Error('too slow'));
    expect(await failed).toMatchObject([{ message: 'too slow' }]);
  });

  it('counts a socket that connects in maxSockets', async () => {
    await using server = await silentServer();
    const agent = makeAgent();
    agent.maxSockets = 1;
    const first = failure(ask(server.port, agent));
    const second = ask(server.port, agent);
    await server.accepted;
    expect(Object.values(agent.requests).flat()).toHaveLength(1);
    const ends = Promise.all([first, failure(second)]);
    second.destroy();
    agent.destroy();
    await ends;
    // Node has given the freed place to a socket of its own.
    agent.destroy();
  });
});

it("emits 'timeout' after the agent's own timeout, as it had none of its own", async () => {
  await using server = await silentServer();
  const agent = new SecureAgent({ credentials: world.anonymous, timeout: 20 });
  const asked = ask(server.port, agent);
  const failed = failure(asked);
  await once(asked, 'timeout');
  agent.destroy();
  await failed;
});

it('shows a socket that connects, and what was asked of it holds once it is connected', async () => {
  await using server = await serveApp((_request, response) => response.end('hello'));
  const agent = new SecureAgent({ credentials: world.anonymous });
  const asked = httpsRequest({ host: 'localhost', port: portOf(server), agent, method: 'POST' });
  const [given] = (await once(asked, 'socket')) as [unknown];
  const socket = given as HttpSocket;
  expect(socket).toMatchObject({ connecting: true, connection: null, peer: null, authorized: false });
  expect(socket.getCipher()).toBeUndefined();
  expect(socket.address()).toEqual({});
  socket.setTimeout(60_000).setNoDelay().setKeepAlive(true, 1_000).unref().ref();
  asked.end('body');
  const events = ['connect', 'ready', 'secureConnect'].map((event) => once(socket, event));
  await Promise.all(events);
  expect(socket).toMatchObject({ connecting: false, authorized: true, timeout: 60_000 });
  expect(socket.connection?.socket.timeout).toBe(60_000);
  await once(asked, 'response');
  agent.destroy();
});

it('fails a write that waits for a connection which never comes', async () => {
  await using server = await silentServer();
  const agent = new SecureAgent({ credentials: world.anonymous });
  const socket = agent.createConnection({ host: 'localhost', port: server.port });
  const written = new Promise((resolve) => socket?.write('hello', resolve));
  await server.accepted;
  socket?.destroy();
  expect(await written).toMatchObject({ code: 'KNSOCK_CONNECTION_CLOSED' });
});

it("the client's own signal ends the attempts of both clients", async () => {
  await using one = await silentServer();
  await using two = await silentServer();
  const stop = new AbortController();
  const options = { credentials: world.anonymous, signal: stop.signal };
  const agent = new SecureAgent(options);
  const dispatcher = new Agent({ connect: undiciConnector(options) });
  const byNode = failure(ask(one.port, agent));
  const byUndici = request(`https://localhost:${two.port}/`, { dispatcher }).catch((error: unknown) => error);
  const left = [once(await one.accepted, 'close'), once(await two.accepted, 'close')];
  stop.abort(new Error('shutdown'));
  expect(await byNode).toMatchObject([{ message: 'shutdown' }]);
  expect(await byUndici).toMatchObject({ message: 'shutdown' });
  await Promise.all(left);
  await dispatcher.destroy();
  agent.destroy();
  // Nothing new is begun.
  expect(await failure(ask(one.port, agent))).toMatchObject([{ message: 'shutdown' }]);
});

it('says by the connect timeout of undici that the server was silent', async () => {
  await using server = await silentServer();
  const dispatcher = new Agent({
    connect: undiciConnector({ credentials: world.anonymous, connectTimeout: 50 }),
  });
  const failed = request(`https://localhost:${server.port}/`, { dispatcher });
  await expect(failed).rejects.toMatchObject({ code: 'KNSOCK_CONNECT_TIMEOUT' });
  await dispatcher.destroy();
});
