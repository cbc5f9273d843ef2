import { connect, createCredentials, serve, type Credentials, type CredentialSource } from '@knsock/core';
import { EventEmitter, once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:tls';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { welcome } from '../support/hand-made-peer.js';
import { bare } from '../support/raw-tls.js';
import { createWorld, portOf, type World } from '../support/world.js';

let world: World;
let other: World;
beforeAll(async () => {
  [world, other] = await Promise.all([createWorld(), createWorld('Other CA')]);
});

class Source implements CredentialSource {
  readonly listeners = new Set<(next: Credentials) => void>();
  current: Credentials;

  constructor(current: Credentials) {
    this.current = current;
  }

  onChange(listener: (next: Credentials) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  take(next: Credentials): void {
    this.current = next;
    for (const listener of this.listeners) listener(next);
  }
}

const server = () =>
  serve(
    { port: 0, host: '127.0.0.1', credentials: world.server, clientCertificates: 'request' },
    ({ peer }) => peer?.commonNames[0] ?? 'nobody',
  );

describe('a client whose credentials come from a source', () => {
  it('presents the newest certificate on new connections, and keeps existing ones', async () => {
    await using serving = await server();
    const credentials = new Source(world.anonymous);
    const options = { host: 'localhost', port: portOf(serving), credentials };
    const before = await connect(options);
    credentials.take(world.client);
    const after = await connect(options);
    expect(String(await before.request(''))).toBe('nobody');
    expect(String(await after.request(''))).toBe('app');
    expect(credentials.listeners.size).toBe(2);
    await Promise.all([before.close(), after.close()]);
    expect(credentials.listeners.size).toBe(0);
  });

  it('leaves a server whose CA it no longer trusts', async () => {
    await using serving = await server();
    const credentials = new Source(world.anonymous);
    const connection = await connect({ host: 'localhost', port: portOf(serving), credentials });
    await connection.request('');
    const [ofServer] = serving.connections();
    credentials.take(other.anonymous);
    expect((await connection.closed).error).toMatchObject({
      code: 'KNSOCK_PEER_UNKNOWN_ISSUER',
      certificate: { issuer: 'CN=Test CA' },
    });
    expect(credentials.listeners.size).toBe(0);
    const told = (await ofServer?.closed)?.error;
    expect(told?.message).toContain('the client refused our certificate (unknown-issuer)');
    expect(told).toMatchObject({ code: 'KNSOCK_CONNECTION_CLOSED' });
  });

  it("doesn't treat a CA of its own as a public one", async () => {
    await using serving = await server();
    const credentials = new Source(world.anonymous);
    const connection = await connect({ host: 'localhost', port: portOf(serving), credentials });
    credentials.take(createCredentials({}));
    expect((await connection.closed).error).toMatchObject({ code: 'KNSOCK_PEER_UNKNOWN_ISSUER' });
  });

  it('leaves a server that a new list revokes', async () => {
    const { chain, key } = await world.authority.issue({ kind: 'server', names: ['localhost'], days: 7 });
    const ca = world.authority.root;
    await using serving = await serve(
      { port: 0, host: '127.0.0.1', credentials: createCredentials({ cert: chain, key }) },
      () => '',
    );
    const credentials = new Source(createCredentials({ ca, crl: (await world.authority.crl()).pem }));
    const options = { host: 'localhost', port: portOf(serving), credentials };
    const connection = await connect(options);
    await world.authority.revoke(chain);
    credentials.take(createCredentials({ ca, crl: (await world.authority.crl()).pem }));
    expect((await connection.closed).error).toMatchObject({ code: 'KNSOCK_PEER_REVOKED' });
    await expect(connect(options)).rejects.toMatchObject({ code: 'KNSOCK_PEER_REVOKED' });
  });

  it('follows its own revocation source, and unsubscribes when it has left', async () => {
    await using serving = await server();
    const listeners = new Set<() => void>();
    let status: 'good' | 'revoked' = 'good';
    const revocation = {
      version: '1',
      onChange: (listener: () => void) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      check: () => ({ status, position: 1 }),
    };
    const connection = await connect({
      host: 'localhost',
      port: portOf(serving),
      credentials: world.anonymous,
      revocation,
    });
    status = 'revoked';
    for (const listener of listeners) listener();
    expect((await connection.closed).error).toMatchObject({ code: 'KNSOCK_PEER_REVOKED' });
    expect(listeners.size).toBe(0);
  });

  it('is not connected to a server that credentials refuse which changed during the handshake', async () => {
    await using serving = await server();
    const credentials = new Source(world.anonymous);
    const connecting = connect({ host: 'localhost', port: portOf(serving), credentials });
    credentials.take(other.anonymous);
    await expect(connecting).rejects.toMatchObject({ code: 'KNSOCK_PEER_UNKNOWN_ISSUER' });
    expect(credentials.listeners.size).toBe(0);
  });

  it('is not connected to a server that is revoked before it has sent its WELCOME', async () => {
    const greeted = new EventEmitter();
    const slow = createServer({ ...bare(world.server), ALPNProtocols: ['knsock/1'] }, (socket) => {
      socket.on('error', () => undefined);
      greeted.emit('secured');
      greeted.once('revoked', () => socket.write(welcome));
    });
    await once(slow.listen(0, '127.0.0.1'), 'listening');
    const listeners = new Set<() => void>();
    let status: 'good' | 'revoked' = 'good';
    let checks = 0;
    const revocation = {
      version: '1',
      onChange: (listener: () => void) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      check: () => {
        checks += 1;
        return { status, position: 1 };
      },
    };
    const { port } = slow.address() as AddressInfo;
    const options = { host: 'localhost', port, credentials: world.anonymous, revocation };
    const connecting = connect(options);
    await Promise.all([once(greeted, 'secured'), vi.waitFor(() => expect(checks).toBe(1))]);
    status = 'revoked';
    for (const listener of listeners) listener();
    greeted.emit('revoked');
    await expect(connecting).rejects.toMatchObject({ code: 'KNSOCK_PEER_REVOKED' });
    expect(listeners.size).toBe(0);
    slow.close();
  });
});
