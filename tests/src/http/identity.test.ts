/** Who asks is what the socket proved, and nothing that the request says. */
import { connect as connectTcp } from 'node:net';
import type { IncomingMessage } from 'node:http';
import express from 'express';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { writeProxyHeader } from '@knsock/core';
import { connectionOf, peerOf, type HttpSocket } from '@knsock/core/http';
import { createServer, IncomingMessage as Message } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { once } from 'node:events';
import { dialBare, portOf, readAll, serveApp, world } from './stage.js';

/** What a program sees of the request that these lines make. */
async function seen<T>(
  look: (request: IncomingMessage) => T,
  lines: readonly string[] = [],
  { withCertificate = true, options = {} } = {},
): Promise<T> {
  let result: T | undefined;
  await using server = await serveApp(
    (request, response) => {
      result = look(request);
      response.end();
    },
    { clientCertificates: 'request', ...options },
  );
  const socket = await dialBare(server, withCertificate ? { ...world.client.material } : {});
  socket.write(['GET / HTTP/1.1', 'Host: localhost', 'Connection: close', ...lines, '', ''].join('\r\n'));
  await readAll(socket);
  return result as T;
}

const socketOf = (request: IncomingMessage) => request.socket as unknown as HttpSocket;

describe('the socket', () => {
  it('tells who its peer is, and that it was verified', async () => {
    const facts = await seen((request) => {
      const socket = socketOf(request);
      const { peer, authorized, encrypted, alpnProtocol, servername, authorizationError } = socket;
      const subject = socket.getPeerCertificate().subject.CN;
      const protocol = socket.getProtocol();
      return {
        name: peer?.commonNames[0],
        authorized,
        encrypted,
        alpnProtocol,
        servername,
        authorizationError,
        subject,
        protocol,
      };
    });
    expect(facts).toEqual({
      name: 'app',
      authorized: true,
      encrypted: true,
      alpnProtocol: false,
      servername: 'localhost',
      authorizationError: null,
      subject: 'app',
      protocol: 'TLSv1.3',
    });
  });

  it('is not authorized where the client showed no certificate', async () => {
    const facts = await seen((request) => [socketOf(request).authorized, peerOf(request)], [], {
      withCertificate: false,
    });
    expect(facts).toEqual([false, null]);
  });

  it('tells the addresses of both ends', async () => {
    const { remoteAddress, remoteFamily, localAddress, remotePort, localPort, port } = await seen(
      (request) => {
        const { remoteAddress, remoteFamily, localAddress, remotePort, localPort } = socketOf(request);
        const [port] = [connectionOf(request)?.remote?.port];
        return { remoteAddress, remoteFamily, localAddress, remotePort, localPort, port };
      },
    );
    expect({ remoteAddress, remoteFamily, localAddress }).toEqual({
      remoteAddress: '127.0.0.1',
      remoteFamily: 'IPv4',
      localAddress: '127.0.0.1',
    });
    expect(remotePort).toBe(port);
    expect(localPort).toBeGreaterThan(0);
  });

  it('tells the address that a trusted proxy told', async () => {
    const app = express();
    app.get('/', (request, response) => response.end(`${request.ip} ${request.socket.remotePort}`));
    await using server = await serveApp(app, { proxyProtocol: { from: ['127.0.0.1'] } });
    const below = connectTcp(portOf(server), '127.0.0.1');
    below.write(
      writeProxyHeader({
        version: 2,
        source: { address: '2001:db8::7', port: 4_711 },
        destination: { address: '2001:db8::1', port: 443 },
      }),
    );
    const socket = await dialBare(server, { socket: below });
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    expect(await readAll(socket)).toContain('2001:db8::7 4711');
  });
});

describe('headers that claim an identity', () => {
  const claims = [
    'X-Forwarded-Client-Cert: By=evil;Subject="CN=root"',
    'x_forwarded_client_cert: evil',
    'Client-Cert: :evil:',
    'Client-Cert-Chain: :evil:',
    'SSL-Client-Verify: SUCCESS',
    'X-SSL-Client-CN: root',
    'X-Client-Cert: evil',
    'X-Forwarded-Tls-Client-Cert: evil',
    'X-Amzn-Mtls-Clientcert: evil',
    'X-ARR-ClientCert: evil',
  ];

  it.each(claims)('%s: is removed', async (line) => {
    const all = await seen(
      ({ headers, rawHeaders, headersDistinct }) => ({ headers, rawHeaders, headersDistinct }),
      ['X-Before: kept', line, line, 'X-After: kept'],
    );
    const name = line.slice(0, line.indexOf(':')).toLowerCase();
    expect(all.headers).not.toHaveProperty([name]);
    expect(all.headersDistinct).not.toHaveProperty([name]);
    expect(all.rawHeaders.map((word) => word.toLowerCase())).not.toContain(name);
    expect(all.headers).toMatchObject({ 'x-before': 'kept', 'x-after': 'kept', host: 'localhost' });
    expect(all.rawHeaders).toEqual([
      'Host',
      'localhost',
      'Connection',
      'close',
      'X-Before',
      'kept',
      'X-After',
      'kept',
    ]);
  });

  it('are removed from upgrades too', async () => {
    await using server = await serveApp(() => undefined);
    const upgraded = once(server.http, 'upgrade');
    const socket = await dialBare(server);
    socket.write(
      'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: x\r\nX-SSL-Client-CN: root\r\n\r\n',
    );
    const [request, taken] = (await upgraded) as [IncomingMessage, Duplex];
    expect(request.headers).not.toHaveProperty(['x-ssl-client-cn']);
    taken.destroy();
    socket.destroy();
  });

  it("stay where the program's server has them from elsewhere", async () => {
    const http = createServer((request, response) => response.end(String(request.headers['x-client-cert'])));
    await using server = await serveApp(http);
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    const { port } = http.address() as { port: number };
    const response = await fetch(`http://127.0.0.1:${port}/`, {
      headers: { 'x-client-cert': 'from elsewhere' },
    });
    expect(await response.text()).toBe('from elsewhere');
    expect(server.http.listening).toBe(true);
    http.closeAllConnections();
    http.close();
  });
});

it("a request that didn't come over a connection of ours has no identity", () => {
  const request = new Message(new Socket());
  expect([peerOf(request), connectionOf(request)]).toEqual([null, null]);
});

it('the list of headers is about names alone, whatever their case and underscores', async () => {
  const { claimsIdentity } = await import('../../../packages/core/src/http/identity-headers.js');
  fc.assert(
    fc.property(
      fc.constantFrom('client-cert', 'x-ssl-client-dn', 'ssl-client-verify'),
      fc.bigInt({ min: 0n, max: 2n ** 24n }),
      (name, bits) => {
        const turned = (at: number) => ((bits >> BigInt(at)) & 1n) === 1n;
        const other = (letter: string) => (letter === '-' ? '_' : letter.toUpperCase());
        const spelled = Array.from(name, (letter, at) => (turned(at) ? other(letter) : letter)).join('');
        return claimsIdentity(spelled);
      },
    ),
  );
  for (const name of ['host', 'x-forwarded-for', 'client-id', 'x-client-id', 'authorization', 'x-request-id'])
    expect(claimsIdentity(name)).toBe(false);
});
