/** fetch and node:https over our connections: the URL's host is verified, by our verdict, with our credentials. */
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { createServer as createHttps, get, request as httpsRequest, type RequestOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Agent, fetch, request } from 'undici';
import { describe, expect, it } from 'vitest';
import { createCredentials, type Credentials, type CredentialSource } from '@knsock/core';
import {
  connectionOf,
  peerOf,
  SecureAgent,
  undiciConnector,
  type HttpClientOptions,
  type SecureAgentOptions,
} from '@knsock/core/http';
import { bare } from '../support/raw-tls.js';
import { createWorld } from '../support/world.js';
import { portOf, serveApp, world } from './stage.js';

/** One request by each client; resolves with the body, or rejects with what the client received. */
type Client = AsyncDisposable & { get(url: string, headers?: Record<string, string>): Promise<string> };

function undici(options: HttpClientOptions): Client {
  const agent = new Agent({ connect: undiciConnector(options), connections: 1 });
  return {
    async get(url, headers) {
      // fetch lets nobody set Host.
      if (headers !== undefined) return (await request(url, { dispatcher: agent, headers })).body.text();
      try {
        return await (await fetch(url, { dispatcher: agent })).text();
      } catch (error) {
        throw (error as Error).cause ?? error;
      }
    },
    [Symbol.asyncDispose]: () => agent.destroy(),
  };
}

function nodeHttps(options: HttpClientOptions): Client {
  const agent = new SecureAgent(options);
  return {
    async get(url, headers = {}) {
      const [response] = (await once(get(url, { agent, headers }), 'response')) as [IncomingMessage];
      let text = '';
      for await (const chunk of response) text += String(chunk);
      return text;
    },
    [Symbol.asyncDispose]: () => {
      agent.destroy();
      return Promise.resolve();
    },
  };
}

/** Credentials that a test replaces. */
function changing(first: Credentials): CredentialSource & { replace(next: Credentials): void } {
  const listeners = new Set<(next: Credentials) => void>();
  const source = {
    current: first,
    onChange(listener: (next: Credentials) => void) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    replace(next: Credentials) {
      source.current = next;
      for (const listener of listeners) listener(next);
    },
  };
  return source;
}

const telling = () =>
  serveApp(
    (request, response) => {
      const { host } = request.headers;
      response.end(
        JSON.stringify([peerOf(request)?.commonNames[0] ?? 'nobody', connectionOf(request)?.id, host]),
      );
    },
    { clientCertificates: 'request' },
  );

const told = (text: string) => JSON.parse(text) as [who: string, id: number, host: string];

describe.each<[string, (options: HttpClientOptions) => Client]>([
  ['fetch, through undici', undici],
  ['node:https', nodeHttps],
])('%s', (_name, make) => {
  it('shows our certificate, and keeps its connection for the next request', async () => {
    await using server = await telling();
    await using client = make({ credentials: world.client });
    const url = `https://localhost:${portOf(server)}/`;
    const first = told(await client.get(url));
    const second = told(await client.get(url));
    expect(first[0]).toBe('app');
    expect(second).toEqual(first);
  });

  it("verifies the URL's host, whatever the Host header says", async () => {
    await using server = await telling();
    await using client = make({ credentials: world.anonymous });
    const port = portOf(server);
    expect(told(await client.get(`https://localhost:${port}/`, { host: 'elsewhere.example' }))[2]).toBe(
      'elsewhere.example',
    );
    // The certificate is for localhost, not for this name of the same machine.
    const other = await createWorldFor('elsewhere.example');
    await using imposter = await serveApp((_request, response) => response.end('secret'), {
      credentials: other,
    });
    await expect(
      client.get(`https://localhost:${portOf(imposter)}/`, { host: 'elsewhere.example' }),
    ).rejects.toMatchObject({
      name: 'UntrustedPeerError',
    });
  });

  it('reaches a server by its address', async () => {
    await using server = await serveApp((_request, response) => response.end('hello'), { host: '::1' });
    await using client = make({ credentials: world.anonymous });
    expect(await client.get(`https://[::1]:${portOf(server)}/`)).toBe('hello');
  });

  it("refuses a server of another authority, and one whose key isn't pinned", async () => {
    await using server = await telling();
    const url = `https://localhost:${portOf(server)}/`;
    const stranger = await createWorld('Another CA');
    await using distrusting = make({ credentials: stranger.anonymous });
    await expect(distrusting.get(url)).rejects.toMatchObject({ name: 'UntrustedPeerError' });
    const pin = `sha256/${Buffer.alloc(32, 7).toString('base64')}`;
    await using pinning = make({ credentials: world.anonymous, pins: [pin] });
    await expect(pinning.get(url)).rejects.toMatchObject({
      code: expect.stringMatching(/^KNSOCK_/) as string,
    });
  });

  it('shares no connection between clients that trust differently', async () => {
    await using server = await telling();
    const url = `https://localhost:${portOf(server)}/`;
    await using known = make({ credentials: world.client });
    await using unknown = make({ credentials: world.anonymous });
    expect(told(await known.get(url))[0]).toBe('app');
    expect(told(await unknown.get(url))[0]).toBe('nobody');
  });

  it('comes with new credentials after a rotation, although a connection is kept', async () => {
    await using server = await telling();
    const url = `https://localhost:${portOf(server)}/`;
    const source = changing(world.client);
    await using client = make({ credentials: source });
    expect(told(await client.get(url))[0]).toBe('app');
    const next = await world.authority.issue({ kind: 'client', commonName: 'next', days: 3 });
    source.replace(createCredentials({ cert: next.chain, key: next.key, ca: world.authority.root }));
    // A connection that is never idle goes on; undici calls it idle a moment after the answer.
    await expect.poll(async () => told(await client.get(url))[0]).toBe('next');
  });

  it('reaches a server that knows no ALPN', async () => {
    const server = createHttps({ ...bare(world.server), ALPNProtocols: [] }, (_request, response) => {
      response.end('hello');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    await using client = make({ credentials: world.anonymous });
    expect(await client.get(`https://localhost:${(server.address() as AddressInfo).port}/`)).toBe('hello');
    server.closeAllConnections();
    server.close();
  });

  it('asks again over a new connection once the server has ended the kept one', async () => {
    await using server = await serveApp((request, response) => response.end(`${connectionOf(request)?.id}`));
    await using client = make({ credentials: world.anonymous });
    const url = `https://localhost:${portOf(server)}/`;
    const first = await client.get(url);
    const [connection] = server.connections();
    connection?.destroy();
    await connection?.closed;
    await expect.poll(() => client.get(url).catch(() => first)).not.toBe(first);
  });
});

async function createWorldFor(name: string): Promise<Credentials> {
  const issued = await world.authority.issue({ kind: 'server', names: [name], days: 3 });
  return createCredentials({ cert: issued.chain, key: issued.key });
}

describe('refuses', () => {
  it.each<[string, RequestOptions]>([
    ['rejectUnauthorized', { rejectUnauthorized: false }],
    ['ca', { ca: 'x' }],
    ['checkServerIdentity', { checkServerIdentity: () => undefined }],
    ['socketPath', { socketPath: '/nowhere' }],
  ])('%s of a single request', async (option, given) => {
    const agent = new SecureAgent({ credentials: world.anonymous });
    const request = httpsRequest({ host: 'localhost', port: 1, agent, ...given });
    const [error] = (await once(request, 'error')) as [Error];
    expect(error).toMatchObject({ code: 'KNSOCK_INVALID_OPTION', option });
    agent.destroy();
  });

  it('these also where a connection is kept, which other requests go on using', async () => {
    await using server = await serveApp((_request, response) => response.end('answer'));
    const agent = new SecureAgent({ credentials: world.anonymous });
    const at = { host: 'localhost', port: portOf(server), agent };
    const isReused = async (): Promise<boolean> => {
      const asked = get(at);
      const [response] = (await once(asked, 'response')) as [IncomingMessage];
      await once(response.resume(), 'close');
      return asked.reusedSocket;
    };
    expect(await isReused()).toBe(false);
    for (const given of [{ rejectUnauthorized: false }, { ca: 'x' }, { secureOptions: 4 }]) {
      const [error] = (await once(get({ ...at, ...given }), 'error')) as [Error];
      expect(error).toMatchObject({ code: 'KNSOCK_INVALID_OPTION', option: Object.keys(given)[0] });
    }
    expect(await isReused()).toBe(true);
    agent.destroy();
  });

  it('plain http, and options that the URL decides', async () => {
    const agent = new Agent({ connect: undiciConnector({ credentials: world.anonymous }) });
    const failed = fetch('http://localhost:8080/', { dispatcher: agent }).catch(
      (error: unknown) => (error as Error).cause,
    );
    expect(await failed).toMatchObject({ code: 'KNSOCK_INVALID_OPTION', option: 'url' });
    expect(() => undiciConnector({ expectedName: 'other' } as object)).toThrow("the URL's host is verified");
    expect(() => new SecureAgent({ servername: 'other' } as object)).toThrow("the URL's host is asked for");
    expect(() => new SecureAgent({ rejectUnauthorized: false } as object)).toThrow(
      'did you mean dangerouslySkipVerification?',
    );
    await agent.close();
  });
});

describe('an agent takes the options of https.Agent that say how sockets are kept', () => {
  it('such as keepAlive, and those by their names', () => {
    const given = {
      keepAlive: false,
      keepAliveMsecs: 5_000,
      maxSockets: 2,
      maxTotalSockets: 3,
      maxFreeSockets: 1,
      scheduling: 'fifo',
      timeout: 4_000,
    } as const;
    const agent = new SecureAgent({ credentials: world.anonymous, ...given });
    const { maxSockets, maxTotalSockets, maxFreeSockets } = agent;
    expect({ ...agent.options, maxSockets, maxTotalSockets, maxFreeSockets }).toMatchObject(given);
    agent.destroy();
  });

  it.each<[SecureAgentOptions, string]>([
    [{ keepAlive: 'yes' as never }, "keepAlive must be true or false, not 'yes'"],
    [{ maxSockets: 0 }, 'maxSockets must be a whole number of 1 or more, or Infinity'],
    [{ maxSocket: 1 } as object, 'there is no option maxSocket; did you mean maxSockets?'],
    [{ checkServerIdentity: () => undefined } as object, 'there is no option checkServerIdentity'],
  ])('%j is refused: %s', (options, message) => {
    expect(() => new SecureAgent(options)).toThrow(message);
  });

  it('and closes a kept connection after timeout', async () => {
    await using server = await telling();
    const agent = new SecureAgent({ credentials: world.anonymous, timeout: 50 });
    const [response] = (await once(get({ host: 'localhost', port: portOf(server), agent }), 'response')) as [
      IncomingMessage,
    ];
    const closed = once(response.socket, 'close');
    response.resume();
    await closed;
    expect(Object.keys(agent.freeSockets)).toEqual([]);
    agent.destroy();
  });

  it('and not those that undici has for its own agent', () => {
    expect(() => undiciConnector({ keepAlive: true } as object)).toThrow(
      "keepAlive is for undici's agent: new Agent({ keepAliveTimeout, connect: undiciConnector(…) })",
    );
  });
});

it('a client that skips verification has an unauthorized socket', async () => {
  await using server = await telling();
  const agent = new SecureAgent({ dangerouslySkipVerification: true });
  const request = get({ host: 'localhost', port: portOf(server), agent });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  expect((response.socket as unknown as { authorized: boolean }).authorized).toBe(false);
  agent.destroy();
});
