import { once } from 'node:events';
import {
  connect as connectTls,
  createSecureContext,
  type ConnectionOptions,
  type SecureContextOptions,
} from 'node:tls';
import { connect, listen, raw, type TlsProfileOptions } from '@knsock/core';
import { createCredentials } from '@knsock/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { nodeMajor, stockServer, visit } from '../support/raw-tls.js';
import { createWorld, portOf, type World } from '../support/world.js';
import { OpensslFolder, profiles } from '../x509/openssl-authority.js';

let world: World;
let rsa: World['server'];
beforeAll(async () => {
  world = await createWorld();
  const { chain, key } = await world.authority.issue({
    kind: 'server',
    names: ['localhost'],
    days: 1,
    keyType: 'rsa2048',
  });
  rsa = createCredentials({ cert: chain, key, ca: world.authority.root });
});

/** The cipher that a bare client negotiates, or the alert that it receives. */
async function negotiated(port: number, options: ConnectionOptions): Promise<string> {
  const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
  try {
    await once(socket, 'secureConnect');
    return `${socket.getProtocol()} ${socket.getCipher().name}`;
  } catch (error) {
    return (error as { code: string }).code.replace(/.*ALERT_/, '').toLowerCase();
  } finally {
    socket.destroy();
  }
}

describe('a server negotiates', () => {
  const v12 = { maxVersion: 'TLSv1.2' } as const;
  it.each<[string, ConnectionOptions, string]>([
    ['TLS 1.3 with clients that have it', {}, 'TLSv1.3 TLS_AES_256_GCM_SHA384'],
    ['authenticated encryption under TLS 1.2', v12, 'TLSv1.2 ECDHE-RSA-AES256-GCM-SHA384'],
    [
      'ChaCha20 too',
      { ...v12, ciphers: 'ECDHE-RSA-CHACHA20-POLY1305' },
      'TLSv1.2 ECDHE-RSA-CHACHA20-POLY1305',
    ],
    ['no CBC', { ...v12, ciphers: 'ECDHE-RSA-AES256-SHA384:ECDHE-RSA-AES128-SHA' }, 'handshake_failure'],
    ['no static RSA', { ...v12, ciphers: 'AES256-GCM-SHA384:AES128-GCM-SHA256' }, 'handshake_failure'],
    ['no CCM', { ...v12, ciphers: 'DHE-RSA-AES256-CCM:AES256-CCM' }, 'handshake_failure'],
    [
      'nothing without a certificate',
      { ...v12, ciphers: 'AECDH-AES256-SHA:@SECLEVEL=0' },
      'handshake_failure',
    ],
    [
      'nothing older than TLS 1.2',
      { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' },
      'protocol_version',
    ],
    [
      'no SHA-1 signatures',
      { ...v12, sigalgs: 'RSA+SHA1', ciphers: 'ECDHE+AESGCM:@SECLEVEL=0' },
      'handshake_failure',
    ],
  ])('%s', async (_, options, result) => {
    await using server = await listen(
      { port: 0, host: '127.0.0.1', credentials: rsa, framing: raw() },
      () => undefined,
    );
    expect(await negotiated(portOf(server), options)).toBe(result);
  });

  it('something weaker only where it is named', async () => {
    const profile: TlsProfileOptions = { ciphers: 'ECDHE-RSA-AES256-SHA384', maxVersion: 'TLSv1.2' };
    await using server = await listen(
      { port: 0, host: '127.0.0.1', credentials: rsa, framing: raw(), profile },
      () => undefined,
    );
    expect(await negotiated(portOf(server), {})).toBe('TLSv1.2 ECDHE-RSA-AES256-SHA384');
  });

  it('the post-quantum hybrid group where the runtime has it', async (context) => {
    if (!hasHybridGroup()) {
      context.skip(`Node ${process.versions.node} doesn't have X25519MLKEM768`);
      return;
    }
    await using server = await listen(
      { port: 0, host: '127.0.0.1', credentials: world.server },
      () => undefined,
    );
    await using client = await connect({
      host: 'localhost',
      port: portOf(server),
      credentials: world.anonymous,
    });
    // Node 22 negotiates the group and can't name it.
    if (nodeMajor >= 24) expect(client.tls.group).toBe('X25519MLKEM768');
    await using only = await listen(
      {
        port: 0,
        host: '127.0.0.1',
        credentials: world.server,
        framing: raw(),
        profile: { groups: 'X25519MLKEM768' },
      },
      () => undefined,
    );
    await using hybrid = await connect({
      host: 'localhost',
      port: portOf(only),
      credentials: world.anonymous,
      framing: raw(),
    });
    expect(hybrid.tls.version).toBe('TLSv1.3');
  });
});

describe('a client refuses', () => {
  const v12 = { maxVersion: 'TLSv1.2' } as const;
  /** A key that static RSA may use, unlike those of our authorities. */
  function encipheringServer() {
    using folder = new OpensslFolder();
    const extensions = profiles.server
      .replace('digitalSignature', 'digitalSignature,keyEncipherment')
      .replace('a.test', 'localhost');
    folder.root('ca');
    folder.issue('server', 'ca', { kind: 'RSA 2048', extensions });
    return { cert: folder.read('server.pem'), key: folder.read('server.key'), ca: folder.read('ca.pem') };
  }

  it.each<[string, SecureContextOptions, code: string]>([
    [
      'a server of TLS 1.1',
      { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' },
      'KNSOCK_HANDSHAKE_PROTOCOL_VERSION',
    ],
    ['a server of CBC suites', { ...v12, ciphers: 'ECDHE-RSA-AES256-SHA384' }, 'KNSOCK_HANDSHAKE_CIPHER'],
    ['a server of static RSA', { ...v12, ciphers: 'AES256-GCM-SHA384' }, 'KNSOCK_HANDSHAKE_CIPHER'],
  ])('%s', async (_, options, code) => {
    const { cert, key, ca } = encipheringServer();
    await using server = await stockServer({ cert, key, ...options });
    // Another client takes what this server has.
    expect((await visit(server.port, { ca, servername: 'localhost', ...options })).authorized).toBe(true);
    const credentials = createCredentials({ ca });
    await expect(
      connect({ host: 'localhost', port: server.port, credentials, framing: raw() }),
    ).rejects.toMatchObject({ code });
  });
});

function hasHybridGroup(): boolean {
  try {
    createSecureContext({ ecdhCurve: 'X25519MLKEM768' });
    return true;
  } catch {
    return false;
  }
}
