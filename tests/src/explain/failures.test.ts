/** Every row of "failure → cause", made for real, on both sides: what our server tells and what our client raises. */
import { once } from 'node:events';
import { createServer, connect as tcpConnect, type AddressInfo, type Socket } from 'node:net';
import path from 'node:path';
import { connect as tlsConnect, createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { createSelfSigned } from '@knsock/certs';
import {
  connect,
  createCredentials,
  explain,
  knsock,
  lines,
  listen,
  type ConnectOptions,
  type Explanation,
  type ListenOptions,
} from '@knsock/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { existsSync } from 'node:fs';
import { anchors } from '../docs/links.js';
import { readDocument, workspace } from '../docs/documents.js';
import { hear } from '../support/heard.js';
import { bare } from '../support/raw-tls.js';
import { createWorld, portOf, type World } from '../support/world.js';

let world: World;
let other: World;
beforeAll(async () => {
  [world, other] = await Promise.all([createWorld(), createWorld('Other CA')]);
});

const sections = anchors(readDocument('docs/errors.md').text);

/** A whole explanation: nothing empty, and a section of the docs that exists. */
function expectWhole({ what, why, fix, docs, code }: Explanation): void {
  for (const part of [what, why, fix]) expect(part.length).toBeGreaterThan(10);
  expect(existsSync(path.join(workspace, docs.split('#')[0]?.replace('@knsock/core/', '') ?? ''))).toBe(true);
  expect(sections.has(code.toLowerCase())).toBe(true);
}

interface ServerRow {
  readonly failure: string;
  readonly code: string;
  readonly options?: () => Partial<ListenOptions>;
  readonly attack: (port: number) => Socket;
  readonly evidence?: object;
}

const speak = (text: string) => (port: number) => tcpConnect(port, '127.0.0.1').end(text);
const shake = (options: object) => (port: number) =>
  tlsConnect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });

const serverRows: ServerRow[] = [
  { failure: 'an HTTP request', code: 'PLAIN_HTTP', attack: speak('GET / HTTP/1.1\r\n\r\n') },
  { failure: 'an HTTP CONNECT', code: 'PLAIN_HTTP', attack: speak('CONNECT a:1 HTTP/1.1\r\n\r\n') },
  { failure: 'SSH', code: 'NOT_TLS', attack: speak('SSH-2.0-OpenSSH_9.2p1\r\n') },
  { failure: 'a stray PROXY header', code: 'NOT_TLS', attack: speak('PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\n') },
  {
    failure: 'a silent peer',
    code: 'TIMEOUT',
    options: () => ({ handshakeTimeout: 100 }),
    attack: (port) => tcpConnect(port, '127.0.0.1'),
    evidence: { phase: 'handshake', ms: 100 },
  },
  {
    failure: 'an end in the middle',
    code: 'DISCONNECTED',
    attack: (port) => tcpConnect(port, '127.0.0.1').end(Buffer.from([22, 3, 1, 2, 0, 1])),
  },
  {
    failure: 'an older TLS version',
    code: 'PROTOCOL_VERSION',
    options: () => ({ profile: { minVersion: 'TLSv1.3' } }),
    attack: shake({ maxVersion: 'TLSv1.2' }),
    evidence: { versions: 'TLSv1.3' },
  },
  {
    failure: 'no common cipher suite',
    code: 'CIPHER',
    attack: shake({ maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA' }),
  },
  {
    failure: 'no common group',
    code: 'GROUP',
    attack: shake({ ecdhCurve: 'X448', minVersion: 'TLSv1.3' }),
  },
  {
    failure: 'no common signature algorithm',
    code: 'SIGNATURE_ALGORITHM',
    attack: shake({ sigalgs: 'ed25519', minVersion: 'TLSv1.3' }),
  },
  {
    failure: 'another ALPN protocol',
    code: 'ALPN',
    options: () => ({ framing: knsock() }),
    attack: shake({ ALPNProtocols: ['h2'] }),
  },
  {
    failure: 'an unknown name',
    code: 'UNKNOWN_NAME',
    options: () => ({ unknownName: 'refuse' }),
    attack: shake({ servername: 'unknown.test' }),
  },
];

describe('our server', () => {
  it.each(serverRows)('explains $failure', async ({ code, options, attack, evidence }) => {
    using heard = hear('knsock:failure');
    await using server = await listen(
      {
        port: 0,
        host: '127.0.0.1',
        credentials: world.server,
        framing: lines(),
        ...options?.(),
      },
      () => undefined,
    );
    const socket = attack(portOf(server));
    socket.on('error', () => undefined);
    socket.resume();
    await new Promise((resolve) => socket.once('close', resolve));
    await expect.poll(() => heard.events.length).toBe(1);
    const explanation = heard.events[0]?.['explanation'] as Explanation;
    expect(explanation.code).toBe(`KNSOCK_HANDSHAKE_${code}`);
    if (evidence !== undefined) expect(explanation.evidence).toMatchObject(evidence);
    expectWhole(explanation);
  });

  it.each(['wrong CA', 'none'])('explains a client certificate that it refuses: %s', async (which) => {
    using heard = hear('knsock:failure');
    await using server = await listen(
      { port: 0, host: '127.0.0.1', credentials: world.server, clientCertificates: 'require' },
      () => undefined,
    );
    const shown = createCredentials({
      ...(which === 'none' ? {} : other.client.material),
      ca: world.authority.root,
    });
    const failed: unknown = await connect({
      host: 'localhost',
      port: portOf(server),
      credentials: shown,
    }).catch((error: unknown) => error);
    const theirs = explain(failed);
    expect(theirs).toMatchObject({ code: 'KNSOCK_CLIENT_CERTIFICATE_REFUSED', side: 'local' });
    expect(theirs.evidence).toMatchObject({ reason: which === 'none' ? 'no-certificate' : 'unknown-issuer' });
    const ours = heard.events[0]?.['explanation'] as Explanation;
    expect(ours.code).toBe(which === 'none' ? 'KNSOCK_PEER_NO_CERTIFICATE' : 'KNSOCK_PEER_UNKNOWN_ISSUER');
    if (which !== 'none') expect(ours.evidence).toMatchObject({ issuer: 'CN=Other CA' });
    expectWhole(theirs);
    expectWhole(ours);
  });

  it('tells at most ten failures a second, and how many it left out', async () => {
    using heard = hear('knsock:failure');
    await using server = await listen(
      { port: 0, host: '127.0.0.1', credentials: world.server },
      () => undefined,
    );
    const ends = Array.from({ length: 40 }, async () => {
      const socket = speak('GET / HTTP/1.1\r\n\r\n')(portOf(server));
      socket.on('error', () => undefined).resume();
      await once(socket, 'close');
    });
    await Promise.all(ends);
    await expect.poll(() => server.stats().failedHandshakes).toBe(40);
    const left = heard.events.reduce((sum, event) => sum + Number(event['suppressed']), 0);
    expect(heard.events.length).toBeLessThan(40);
    expect(heard.events.length + left).toBeLessThanOrEqual(40);
  });
});

interface ClientRow {
  readonly failure: string;
  readonly code: string;
  readonly side: string;
  readonly server?: () => TlsOptions | Promise<TlsOptions>;
  readonly plain?: (socket: Socket) => void;
  readonly options?: () => Partial<ConnectOptions>;
  readonly evidence?: object;
}

const clientRows: ClientRow[] = [
  { failure: 'nobody listening', code: 'CONNECTION_REFUSED', side: 'peer' },
  {
    failure: 'a plain server',
    code: 'HANDSHAKE_NOT_TLS',
    side: 'peer',
    plain: (socket) => socket.end('220 mail.test ESMTP\r\n'),
  },
  {
    failure: 'a server that closes at once',
    code: 'HANDSHAKE_DISCONNECTED',
    side: 'peer',
    plain: (socket) => socket.destroy(),
  },
  {
    failure: 'a server that says nothing',
    code: 'CONNECT_TIMEOUT',
    side: 'peer',
    plain: () => undefined,
    options: () => ({ connectTimeout: 150 }),
    evidence: { phase: 'tls', ms: 150 },
  },
  {
    failure: 'an older TLS version',
    code: 'HANDSHAKE_PROTOCOL_VERSION',
    side: 'either',
    server: () => ({ maxVersion: 'TLSv1.2' }),
    options: () => ({ profile: { minVersion: 'TLSv1.3' } }),
    evidence: { versions: 'TLSv1.3' },
  },
  {
    failure: 'no common cipher suite (kn-sock\'s "cipher suite mismatch")',
    code: 'HANDSHAKE_CIPHER',
    side: 'either',
    server: () => ({ maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA' }),
  },
  {
    failure: 'another ALPN protocol',
    code: 'FRAMING_MISMATCH',
    side: 'either',
    server: () => ({ ALPNProtocols: ['h2'] }),
    options: () => ({ framing: knsock() }),
  },
  {
    failure: 'a wrong root (kn-sock\'s "certificate verification failed")',
    code: 'PEER_UNKNOWN_ISSUER',
    side: 'either',
    options: () => ({ credentials: other.anonymous }),
    evidence: { issuer: 'CN=Test CA', reason: 'unknown-issuer' },
  },
  {
    failure: 'a self-signed certificate',
    code: 'PEER_SELF_SIGNED',
    side: 'local',
    server: async () => {
      const { certificate: cert, key } = await createSelfSigned({ names: ['localhost'] });
      return { cert, key };
    },
  },
  {
    failure: 'a missing intermediate',
    code: 'PEER_UNKNOWN_ISSUER',
    side: 'either',
    server: async () => {
      const below = await world.authority.intermediate({ commonName: 'Below', days: 20 });
      const { certificate: cert, key } = await below.issue({ kind: 'server', names: ['localhost'], days: 7 });
      return { cert, key };
    },
    evidence: { issuer: 'CN=Below' },
  },
  {
    failure: 'another name (kn-sock\'s "hostname verification failed")',
    code: 'PEER_WRONG_NAME',
    side: 'either',
    options: () => ({ servername: 'other.test' }),
    evidence: { names: 'localhost, 127.0.0.1, ::1' },
  },
  {
    failure: 'a certificate for clients',
    code: 'PEER_WRONG_USAGE',
    side: 'peer',
    server: async () => {
      const { chain: cert, key } = await world.authority.issue({
        kind: 'client',
        names: ['localhost'],
        days: 7,
      });
      return { cert, key };
    },
  },
  {
    failure: 'a client certificate required by alert',
    code: 'CLIENT_CERTIFICATE_REFUSED',
    side: 'local',
    server: () => ({ requestCert: true, rejectUnauthorized: true, ca: world.authority.root }),
    evidence: { reason: 'no-certificate' },
  },
];

describe('our client', () => {
  it.each(clientRows)('explains $failure', async ({ code, side, server, plain, options, evidence }) => {
    const listening = plain
      ? createServer((socket) => {
          socket.on('error', () => undefined);
          plain(socket);
        })
      : createTlsServer({ ...bare(world.server), ca: undefined, ...(await server?.()) }, (socket) => {
          socket.on('error', () => undefined);
          socket.resume();
        });
    listening.listen(0, '127.0.0.1');
    await once(listening, 'listening');
    const { port } = listening.address() as AddressInfo;
    if (code === 'CONNECTION_REFUSED') await new Promise((resolve) => listening.close(resolve));
    const failed: unknown = await connect({
      host: '127.0.0.1',
      port,
      servername: 'localhost',
      credentials: world.anonymous,
      framing: lines(),
      ...options?.(),
    })
      .then((connection) => connection.closed.then(({ error }) => error))
      .catch((error: unknown) => error);
    listening.close();
    const explanation = explain(failed);
    expect(explanation).toMatchObject({ code: `KNSOCK_${code}`, side });
    if (evidence !== undefined) expect(explanation.evidence).toMatchObject(evidence);
    expectWhole(explanation);
  });
});

// Node 26 sends session tickets before such an end, and then it can't be a refusal of our certificate.
const endsWithTickets = Number(process.versions.node.split('.')[0]) >= 26;

describe('a server that ends right after the handshake', () => {
  it.skipIf(endsWithTickets)(
    'and asked for no certificate speaks another framing, or its handler failed',
    async () => {
      const server = createTlsServer(bare(world.server), (socket) => socket.destroy());
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const to = { host: '127.0.0.1', port, servername: 'localhost', credentials: world.anonymous };
      const connection = await connect({ ...to, framing: lines() });
      const { fix, evidence } = explain((await connection.closed).error);
      expect(evidence).toEqual({ causes: 'framing, handler' });
      expect(fix).toMatch(/same framing.*handler/);
      server.close();
    },
  );
});

describe('explain', () => {
  it('explains a key that doesn\'t fit (kn-sock\'s "private key mismatch")', () => {
    const mismatched = (): unknown =>
      createCredentials({
        cert: world.server.material.cert,
        key: other.server.material.key,
      });
    let failed: unknown;
    try {
      mismatched();
    } catch (error) {
      failed = error;
    }
    const explanation = explain(failed);
    expect(explanation).toMatchObject({ code: 'KNSOCK_CREDENTIALS_KEY_MISMATCH', side: 'local' });
    expectWhole(explanation);
  });

  it('translates what node:tls raises', () => {
    const raw = Object.assign(new Error('certificate has expired'), { code: 'CERT_HAS_EXPIRED' });
    expect(explain(raw)).toMatchObject({ code: 'KNSOCK_PEER_EXPIRED', side: 'peer' });
    const reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
    expect(explain(reset)).toMatchObject({ code: 'KNSOCK_CONNECTION_RESET', retryable: true });
  });

  it.each([undefined, null, 'text', new TypeError('x is not a function'), { code: 7 }])(
    "says of %s that it isn't ours",
    (error) => {
      expect(explain(error)).toMatchObject({ docs: '', evidence: {} });
    },
  );

  it('prints as lines', () => {
    const text = String(explain(Object.assign(new Error('refused'), { code: 'CERT_REVOKED' })));
    expect(text.split('\n')[0]).toBe('KNSOCK_PEER_REVOKED: refused (CERT_REVOKED)');
    expect(text).toContain('\nfix: ');
    expect(text).toContain('\nmore: @knsock/core/docs/errors.md#knsock_peer_revoked');
  });
});
