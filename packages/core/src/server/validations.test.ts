import { once } from 'node:events';
import { Socket, type AddressInfo } from 'node:net';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { FailureReporter } from '../errors/failure-reporter.js';
import { parseLimits } from '../policy/limits.js';
import { makeCertificate } from '../testing/made-certificates.js';
import { PendingConnection, type PendingConnections } from './pending-connection.js';
import { Validations } from './validations.js';

const { pem: cert, keyPem: key } = makeCertificate({ commonName: 'a.test', names: ['a.test'] });

const cleanUps: (() => unknown)[] = [];
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp();
});

/** A handshake that was to be a validation of `a.test`, as a client with a second ClientHello may have made it. */
async function handshake(agreed: { servername?: string; alpn?: string }) {
  const protocols = agreed.alpn === undefined ? {} : { ALPNProtocols: [agreed.alpn] };
  const server = createServer({ cert, key, ...protocols }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...agreed, ...protocols });
  client.on('error', () => undefined);
  const [socket] = (await once(server, 'secureConnection')) as [TLSSocket];
  cleanUps.push(
    () => server.close(),
    () => client.destroy(),
    () => socket.destroy(),
  );
  return { client: client.resume(), socket };
}

function validations() {
  const pending = new PendingConnection(new Socket(), {
    signalFailed: () => undefined,
    left: () => undefined,
  });
  pending.routedBy = { servername: 'a.test' };
  const failed: Error[] = [];
  const connections: PendingConnections = {
    find: () => pending,
    leave: () => true,
    fail: (_pending, error) => void failed.push(error),
    broken: (_pending, error) => void failed.push(error),
    admitProxied: () => true,
  };
  const config = { limits: parseLimits({}), failures: new FailureReporter(null) };
  return { validations: new Validations(config, connections), failed, connections };
}

describe('a handshake that was to be a validation', () => {
  it('counts as one where it agreed on the name and acme-tls/1, and ends', async () => {
    const { client, socket } = await handshake({ servername: 'a.test', alpn: 'acme-tls/1' });
    const { validations: all, failed } = validations();
    all.secured(socket, socket);
    await once(client, 'close');
    expect([all.answered, failed]).toEqual([1, []]);
  });

  it.each([
    ['no protocol', { servername: 'a.test' }],
    ['another protocol', { servername: 'a.test', alpn: 'lines' }],
    ['another name', { servername: 'b.test', alpn: 'acme-tls/1' }],
    ['no name', { alpn: 'acme-tls/1' }],
  ])('is cut off where it agreed on %s', async (_what, agreed) => {
    const { client, socket } = await handshake(agreed);
    const { validations: all, failed } = validations();
    all.secured(socket, socket);
    expect(socket.destroyed).toBe(true);
    expect(all.answered).toBe(0);
    expect(failed).toMatchObject([{ code: 'KNSOCK_HANDSHAKE_CLIENT_HELLO' }]);
    await once(client, 'close');
  });

  it('is cut off where its time was over', async () => {
    const { client, socket } = await handshake({ servername: 'a.test', alpn: 'acme-tls/1' });
    const { validations: all, connections } = validations();
    vi.spyOn(connections, 'find').mockReturnValue(undefined);
    all.secured(socket, socket);
    expect([socket.destroyed, all.answered]).toEqual([true, 0]);
    await once(client, 'close');
  });
});
