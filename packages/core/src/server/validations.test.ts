import { once } from 'node:events';
import { Socket, type AddressInfo } from 'node:net';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createCredentials } from '../credentials/credentials.js';
import type { CredentialSource } from '../credentials/source.js';
import { FailureReporter } from '../errors/failure-reporter.js';
import { parseLimits } from '../policy/limits.js';
import { makeCertificate } from '../testing/made-certificates.js';
import { PendingConnection, type PendingConnections } from './pending-connection.js';
import type { ServerContext } from './server-context.js';
import { Validations } from './validations.js';
import { VirtualHosts } from './virtual-hosts.js';

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

function validations(socket = new Socket()) {
  const pending = new PendingConnection(socket, {
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
  const reported: Error[] = [];
  const failures = new FailureReporter((error: Error) => void reported.push(error));
  const all = new Validations({ limits: parseLimits({}), failures }, connections);
  return { validations: all, pending, failed, reported, connections };
}

/** A socket that keeps what is written to it. */
function recording() {
  const socket = new Socket();
  const written: Buffer[] = [];
  socket.end = ((bytes: Buffer) => {
    written.push(bytes);
    return socket;
  }) as never;
  return { socket, written };
}

/** Virtual hosts whose default source answers so. */
function hostsWith(challengeFor: (name: string) => unknown): VirtualHosts {
  const fallback = { name: 'default' } as unknown as ServerContext;
  const source = { current: createCredentials({}), onChange: () => () => undefined, challengeFor };
  return new VirtualHosts(fallback, new Map(), 'default', new Map([[fallback, source as CredentialSource]]));
}

describe('a hello of a validation', () => {
  it("without a name is nobody's to answer", () => {
    const asked = vi.fn();
    const { validations: all, pending, failed } = validations();
    expect(all.take(pending, null, hostsWith(asked))).toBe(false);
    expect([asked.mock.calls, failed]).toEqual([[], []]);
  });

  it('asks for the name in lower case, and is left alone where nothing is pending', () => {
    const asked = vi.fn();
    const { socket, written } = recording();
    const { validations: all, pending, failed, reported } = validations(socket);
    for (const name of ['A.Test', 'a.test.']) expect(all.take(pending, name, hostsWith(asked))).toBe(false);
    expect(asked.mock.calls).toEqual([['a.test'], ['a.test']]);
    expect([failed, reported, written]).toEqual([[], [], []]);
  });

  it('is refused by an alert where the source fails, which is reported', () => {
    const { socket, written } = recording();
    const { validations: all, pending, failed, reported } = validations(socket);
    const cause = new Error('no answer');
    const fails = (): never => {
      throw cause;
    };
    expect(all.take(pending, 'a.test', hostsWith(fails))).toBe(true);
    expect(reported).toEqual([cause]);
    expect(failed).toMatchObject([{ code: 'KNSOCK_HANDSHAKE_OTHER', cause }]);
    expect(failed[0]?.message).toContain('"a.test"');
    expect(written).toEqual([Buffer.from([21, 3, 1, 0, 2, 2, 80])]);
  });

  it('is bound to its name, and fails as other handshakes do', async () => {
    const { validations: all, pending, failed } = validations();
    pending.routedBy = null;
    expect(
      all.take(
        pending,
        'A.test',
        hostsWith(() => ({ cert, key })),
      ),
    ).toBe(true);
    expect(pending.routedBy).toEqual({ servername: 'A.test' });
    pending.socket.destroy();
    await vi.waitFor(() => {
      expect(failed).toMatchObject([{ code: 'KNSOCK_HANDSHAKE_DISCONNECTED' }]);
    });
  });

  it("that fails after it has left is nobody's", () => {
    const { validations: all, failed, connections } = validations();
    vi.spyOn(connections, 'find').mockReturnValue(undefined);
    all.failed(new Error('late'), new Socket());
    expect(failed).toEqual([]);
  });
});

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
