import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { checkServerIdentity, connect, createServer, type PeerCertificate, type TLSSocket } from 'node:tls';
import { createAuthority, toPkcs12, type KeyType } from '@knsock/certs';
import { expect, it } from 'vitest';

interface Side {
  readonly chain: string;
  readonly key: string;
}

/** Connects under Node's own checks; the socket of each side. */
async function meet(ca: string, server: Side, client: Side): Promise<[TLSSocket, TLSSocket]> {
  const own = { cert: server.chain, key: server.key };
  const listener = createServer({ ...own, ca, requestCert: true, rejectUnauthorized: true });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  const accepted = once(listener, 'secureConnection');
  const socket = connect({ port, host: '127.0.0.1', ca, cert: client.chain, key: client.key });
  await once(socket, 'secureConnect');
  const [other] = (await accepted) as [TLSSocket];
  listener.close();
  return [socket, other];
}

/** From 22.23.0, 24.17.0 and 26.x on some Nodes accept no IPv6 address (nodejs/node#64144); `connect` verifies names itself. */
const loopback = { subject: {}, subjectaltname: 'IP Address:0:0:0:0:0:0:0:1' } as PeerCertificate;
const nodeReadsIpv6 = checkServerIdentity('::1', loopback) === undefined;

it.each(['p256', 'p384', 'ed25519', 'rsa2048'] satisfies KeyType[])(
  'Node takes servers and clients with %s keys, for each kind of host name',
  async (keyType) => {
    const nameConstraints = { permitted: ['test', '127.0.0.0/8', '::1', '@test', 'spiffe://.test'] };
    const root = await createAuthority({ commonName: 'Root', keyType });
    const below = await root.intermediate({ commonName: 'Below', keyType, nameConstraints });
    const names = ['127.0.0.1', '::1', '*.bücher.test', 'a.test', 'spiffe://a.test/db', 'a@test'];
    const server = await below.issue({ kind: 'server', names, keyType });
    const client = await below.issue({ kind: 'client', commonName: 'alice', keyType });
    const [socket, other] = await meet(root.root, server, client);
    expect([socket.authorized, other.authorized]).toEqual([true, true]);
    expect(other.getPeerCertificate().subject.CN).toBe('alice');
    const certificate = socket.getPeerCertificate();
    const hosts = ['127.0.0.1', 'x.xn--bcher-kva.test', 'a.test', ...(nodeReadsIpv6 ? ['::1'] : [])];
    for (const host of hosts) {
      expect(checkServerIdentity(host, certificate)).toBeUndefined();
    }
    expect(checkServerIdentity('b.test', certificate)).toBeInstanceOf(Error);
    socket.destroy();
    other.destroy();
  },
);

it('Node takes a certificate for addresses alone from an authority that may sign for nothing else', async () => {
  const nameConstraints = { permitted: ['127.0.0.0/8'] };
  const root = await createAuthority({ commonName: 'Root', nameConstraints });
  const server = await root.issue({ kind: 'server', names: ['127.0.0.1'] });
  const client = await root.issue({ kind: 'client', names: ['127.0.0.2'] });
  const [socket, other] = await meet(root.root, server, client);
  expect([socket.authorized, other.authorized]).toEqual([true, true]);
  socket.destroy();
  other.destroy();
});

it('Node opens a PKCS#12 file made here, of each kind of key', async () => {
  const root = await createAuthority({ commonName: 'Root' });
  for (const keyType of ['p256', 'ed25519', 'rsa2048'] as const) {
    const issued = await root.issue({ kind: 'peer', names: ['127.0.0.1'], keyType });
    const pfx = await toPkcs12(issued, 'pässwort');
    const listener = createServer({ pfx, passphrase: 'pässwort' }, (socket) => socket.end('welcome'));
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const { port } = listener.address() as AddressInfo;
    const heard = await connect({ port, host: '127.0.0.1', ca: root.root }).setEncoding('utf8').toArray();
    expect(heard.join('')).toBe('welcome');
    listener.close();
  }
});
