import { once } from 'node:events';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import type { AddressInfo, Socket } from 'node:net';
import { connect as connectTcp } from 'node:net';
import { parseCertificate } from '@knsock/core/x509';
import { afterEach, expect, it } from 'vitest';
import { alpnCertificate } from './alpn-certificate.js';
import { listenForChallenges, type AcmeChallengeType } from './challenge-listener.js';
import { PendingChallenges } from './pending-challenges.js';

const versions = ['TLSv1.2', 'TLSv1.3'] as const;

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}

async function listening(type: AcmeChallengeType, pending: PendingChallenges): Promise<number> {
  const port = await freePort();
  ends.push(await listenForChallenges(type, { host: '127.0.0.1', port }, pending));
  return port;
}

/** What a client got: the protocol, the certificate and the bytes until the end; or the failure. */
async function dial(options: ConnectionOptions) {
  const socket: TLSSocket = connect({ host: '127.0.0.1', rejectUnauthorized: false, ...options });
  try {
    await once(socket, 'secureConnect');
    const { alpnProtocol } = socket;
    const { raw } = socket.getPeerCertificate();
    return { alpnProtocol, raw, said: await text(socket) };
  } catch (error) {
    return { failure: (error as NodeJS.ErrnoException).code };
  } finally {
    socket.destroy();
  }
}

it("shows the challenge's certificate for acme-tls/1 alone, and ends the connection without a byte", async () => {
  const pending = new PendingChallenges();
  const challenge = await alpnCertificate({ type: 'dns', value: 'a.example' }, 'token.thumbprint');
  const forget = pending.addCertificate('a.example', challenge);
  const port = await listening('tls-alpn-01', pending);
  const shown = { alpnProtocol: 'acme-tls/1', raw: parseCertificate(challenge.cert).der, said: '' };
  expect(await dial({ port, servername: 'a.example', ALPNProtocols: ['acme-tls/1'] })).toEqual(shown);
  for (const maxVersion of versions)
    expect(await dial({ port, servername: 'A.example', ALPNProtocols: ['acme-tls/1'], maxVersion })).toEqual(
      shown,
    );
  for (const other of [
    { servername: 'a.example', ALPNProtocols: ['h2'] },
    { servername: 'a.example', ALPNProtocols: ['acme-tls/1', 'h2'] },
    { servername: 'b.example', ALPNProtocols: ['acme-tls/1'] },
    { ALPNProtocols: ['acme-tls/1'] },
  ])
    for (const maxVersion of versions)
      expect(await dial({ port, ...other, maxVersion })).toEqual({ failure: expect.any(String) as string });
  for (const maxVersion of versions) {
    const bare = await dial({ port, servername: 'a.example', maxVersion });
    if ('raw' in bare && bare.raw !== undefined)
      expect({ said: bare.said, names: parseCertificate(bare.raw).dnsNames }).toEqual({
        said: '',
        names: ['acme.invalid'],
      });
    else expect(bare).toHaveProperty('failure');
  }
  forget();
  const after = await dial({ port, servername: 'a.example', ALPNProtocols: ['acme-tls/1'] });
  expect(after).toHaveProperty('failure');
});

it("puts the digest of the answer into a critical extension of the challenge's certificate", async () => {
  const { cert } = await alpnCertificate({ type: 'ip', value: '192.0.2.1' }, 'token.thumbprint');
  const { ipAddresses, dnsNames, extensions } = parseCertificate(cert);
  expect({ ipAddresses, dnsNames }).toEqual({ ipAddresses: ['192.0.2.1'], dnsNames: [] });
  const found = extensions.get('1.3.6.1.5.5.7.1.31');
  expect(found?.critical).toBe(true);
  // printf token.thumbprint | sha256sum, as an OCTET STRING
  expect(found?.value.toString('hex')).toBe(
    '0420eb5ac167fe249c76e53b430da3116c5d9fde4c5507ba6d01e885516e1bd49f92',
  );
});

it('answers pending tokens alone, and nothing but GET', async () => {
  const pending = new PendingChallenges();
  pending.addToken('abc', 'abc.thumbprint');
  const port = await listening('http-01', pending);
  const ask = async (path: string, method = 'GET') => {
    const sent = request({ host: '127.0.0.1', port, path, method, agent: false }).end();
    const [response] = (await once(sent, 'response')) as [import('node:http').IncomingMessage];
    return [response.statusCode, await text(response)];
  };
  const place = '/.well-known/acme-challenge/';
  expect(await ask(`${place}abc`)).toEqual([200, 'abc.thumbprint']);
  for (const path of [`${place}abd`, place, '/', '/abc', `${place}abc/`, `${place}abc?x=1`])
    expect(await ask(path)).toEqual([404, '']);
  expect(await ask(`${place}abc`, 'POST')).toEqual([404, '']);
});

it.each(['tls-alpn-01', 'http-01'] as const)(
  'bounds the connections of %s, and ends with all of them',
  async (type) => {
    const port = await listening(type, new PendingChallenges());
    const sockets: Socket[] = [];
    let dropped = 0;
    for (let opened = 0; opened < 70; opened += 1) {
      const socket = connectTcp(port, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.once('close', () => (dropped += 1));
      sockets.push(socket);
      await once(socket, 'connect');
    }
    while (dropped < 70 - 64) await new Promise(setImmediate);
    await ends.pop()?.();
    while (dropped < 70) await new Promise(setImmediate);
    expect(sockets.every(({ destroyed }) => destroyed)).toBe(true);
  },
);

it("says why it can't listen", async () => {
  const port = await listening('http-01', new PendingChallenges());
  await expect(
    listenForChallenges('http-01', { host: '127.0.0.1', port }, new PendingChallenges()),
  ).rejects.toMatchObject({
    code: 'KNSOCK_ACME_LISTEN',
    message: expect.stringContaining('EADDRINUSE') as string,
  });
});
