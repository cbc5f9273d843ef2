import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import * as tls from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { makeCertificate, type MadeCertificate } from '../testing/made-certificates.js';
import { parseCertificate } from '../x509/index.js';
import type { Path } from './path-cache.js';
import { looksFirst, readChainsEarly, readPeerChain } from './peer-chain.js';

const root = makeCertificate({ commonName: 'Root', isAuthority: true });
const upper = makeCertificate({ commonName: 'Upper', issuer: root, isAuthority: true });
const lower = makeCertificate({ commonName: 'Lower', issuer: upper, isAuthority: true });
const leaf = makeCertificate({ commonName: 'a', issuer: lower, names: ['a.test'] });
const client = makeCertificate({ commonName: 'client', issuer: lower });

const bundle = (...certificates: MadeCertificate[]): string => certificates.map(({ pem }) => pem).join('');
const cleanUp: (() => void)[] = [];
afterEach(() => {
  for (const clean of cleanUp.splice(0)) clean();
});

/** A TLS connection, seen from both sides. */
async function handshake(
  server: tls.TlsOptions,
  options: tls.ConnectionOptions,
  early = false,
): Promise<{ near: tls.TLSSocket; far: tls.TLSSocket; session: Promise<Buffer>; port: number }> {
  const listener = tls.createServer({ rejectUnauthorized: false, ...server });
  readChainsEarly(listener, early || undefined);
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  return { ...(await dial(listener, port, options)), port };
}

async function dial(listener: tls.Server, port: number, options: tls.ConnectionOptions) {
  const near = tls.connect({
    port,
    host: '127.0.0.1',
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
    ...options,
  });
  const session = once(near, 'session').then(([ticket]) => ticket as Buffer);
  session.catch(() => undefined);
  const [[far]] = (await Promise.all([once(listener, 'secureConnection'), once(near, 'secureConnect')])) as [
    [tls.TLSSocket],
    unknown,
  ];
  near.on('data', () => undefined);
  cleanUp.push(() => {
    near.destroy();
    far.destroy();
    listener.close();
  });
  return { near, far, session };
}

/** Whose certificates these bytes are. */
const named = (ders: readonly Buffer[]): string[] =>
  ders.map((der) => parseCertificate(der).subject.commonNames[0] ?? '');
const server = (...chain: MadeCertificate[]) => ({ cert: bundle(leaf, ...chain), key: leaf.keyPem });
const nothing = { remembered: null };

describe('the chain of a peer', () => {
  it('is what the peer sent, its own certificate first', async () => {
    const { near } = await handshake(server(lower, upper), { ca: root.pem });
    const chain = readPeerChain(near, nothing);
    expect(chain).toMatchObject({ resumed: false, opensslError: null, remembered: null });
    expect(chain.leaf).toEqual(leaf.der);
    expect(named(chain.chain()).slice(0, 3)).toEqual(['a', 'Lower', 'Upper']);
    expect(chain.chain()).toBe(chain.chain());
  });

  it('is complete where it was sent in another order', async () => {
    const { near } = await handshake(server(upper, lower), { ca: root.pem });
    const chain = readPeerChain(near, nothing).chain();
    expect(chain[0]).toEqual(leaf.der);
    expect(named(chain)).toEqual(expect.arrayContaining(['Lower', 'Upper']));
  });

  it('has the valid certificate of a CA where an expired one was sent before it', async () => {
    const to = new Date(Date.now() - 3_600_000);
    const expired = makeCertificate({
      commonName: 'Lower',
      issuer: upper,
      isAuthority: true,
      key: lower,
      to,
    });
    const { near } = await handshake(server(expired, lower, upper), { ca: root.pem });
    const chain = readPeerChain(near, nothing);
    expect(chain.opensslError).toBe(null);
    expect(chain.chain()).toContainEqual(lower.der);
  });

  it("carries OpenSSL's error code", async () => {
    const { near } = await handshake(server(lower), { ca: root.pem });
    const chain = readPeerChain(near, nothing);
    expect(chain.opensslError).toBe('UNABLE_TO_GET_ISSUER_CERT_LOCALLY');
    expect(named(chain.chain()).slice(0, 2)).toEqual(['a', 'Lower']);
  });

  it('of a client is read on the server, and is empty where it sent none', async () => {
    const asking = { ...server(lower, upper), ca: root.pem, requestCert: true };
    const shown = await handshake(asking, { cert: bundle(client, lower, upper), key: client.keyPem });
    const sent = readPeerChain(shown.far, nothing).chain();
    expect(named(sent).slice(0, 3)).toEqual(['client', 'Lower', 'Upper']);
    const silent = await handshake(asking, {});
    const none = readPeerChain(silent.far, nothing);
    expect([none.leaf, none.chain()]).toEqual([null, []]);
  });

  it('is truncated where it is too long', async () => {
    let issuer = root;
    const long: MadeCertificate[] = [];
    for (let depth = 0; depth < 20; depth += 1) {
      issuer = makeCertificate({ commonName: `CA ${depth}`, issuer, isAuthority: true });
      long.unshift(issuer);
    }
    const end = makeCertificate({ commonName: 'end', issuer });
    const chained = { cert: bundle(end, ...long), key: end.keyPem };
    for (const ca of [root.pem, client.pem]) {
      const { near } = await handshake(chained, { ca });
      expect(readPeerChain(near, nothing).chain()).toHaveLength(16);
    }
  });
});

describe('reading a chain', () => {
  /** Counts calls of the reader that leaks on some versions of Node. */
  function watched(socket: tls.TLSSocket): { reads: number } {
    const count = { reads: 0 };
    const read = socket.getPeerX509Certificate.bind(socket);
    socket.getPeerX509Certificate = () => {
      count.reads += 1;
      return read();
    };
    return count;
  }

  it('costs no more than the older reader where that reads all of it', async () => {
    const { near } = await handshake(server(lower, upper, root), { ca: root.pem });
    const count = watched(near);
    expect(named(readPeerChain(near, nothing).chain())).toEqual(['a', 'Lower', 'Upper', 'Root']);
    expect(count.reads).toBe(0);
  });

  it('finds an issuer that may not issue, for the reason why OpenSSL refuses it', async () => {
    const { near } = await handshake(server(upper, lower), {});
    expect(named(readPeerChain(near, nothing).chain())).toEqual(
      expect.arrayContaining(['a', 'Lower', 'Upper']),
    );
  });

  it('stops there for peers that OpenSSL refuses, after 256 of them, where the newer reader leaks', async () => {
    const leaks = Number(process.versions.node.split('.')[0]) < 24;
    let reads = 0;
    for (let peers = 0; peers < 260; peers += 1) {
      const { near } = await handshake(server(upper, lower), {});
      const count = watched(near);
      expect(named(readPeerChain(near, nothing).chain())[0]).toBe('a');
      reads += count.reads;
      for (const clean of cleanUp.splice(0)) clean();
    }
    expect(reads).toBeGreaterThan(200);
    expect(reads).toBeLessThanOrEqual(leaks ? 256 : 260);
  });

  it('finds nothing on a connection that is gone', async () => {
    const { near } = await handshake(server(lower), { ca: root.pem });
    near.destroy();
    await once(near, 'close');
    const chain = readPeerChain(near, nothing);
    expect([chain.leaf, chain.chain()]).toEqual([null, []]);
  });

  it.each([
    [Object.assign(new Error('words'), { code: 'CERT_UNTRUSTED' }), 'CERT_UNTRUSTED'],
    [new Error('words'), 'words'],
    ['CERT_UNTRUSTED', 'CERT_UNTRUSTED'],
    ['', 'not authorized'],
    [undefined, 'not authorized'],
  ])("reads OpenSSL's error code from %s, as Node may keep it in any form", async (kept, word) => {
    const { near } = await handshake(server(lower), {});
    near.authorizationError = kept as Error;
    expect(readPeerChain(near, nothing).opensslError).toBe(word);
  });
});

describe('where Node reads the chain first', () => {
  const asking = { ...server(lower, upper), ca: root.pem, requestCert: true };

  it.each([
    ['24.20.0', false],
    ['24.21.0', true],
    ['24.22.0', false],
    ['25.21.0', false],
    ['26.7.9', false],
    ['26.8.0', true],
    ['26.9.1', true],
    ['26.10.0', false],
    ['27.8.0', false],
    ['20.19.0', false],
  ])('Node %s: %s', (version, expected) => {
    expect(looksFirst(version)).toBe(expected);
  });

  it("a client's chain is read before Node reads it", async () => {
    const shown = { cert: bundle(client, lower, upper), key: client.keyPem };
    const { far } = await handshake(asking, shown, true);
    const read = far.getPeerCertificate.bind(far);
    // As on those versions: the issuers are gone once Node has read the chain.
    far.getPeerCertificate = () => ({ ...read(false) }) as tls.DetailedPeerCertificate;
    far.getPeerX509Certificate = () => undefined;
    expect(named(readPeerChain(far, nothing).chain()).slice(0, 3)).toEqual(['client', 'Lower', 'Upper']);
    // It is verified once, and then released.
    expect(named(readPeerChain(far, nothing).chain())).toEqual([]);
  });

  it('a client without a certificate has none', async () => {
    const { far } = await handshake(asking, {}, true);
    const chain = readPeerChain(far, nothing);
    expect([chain.leaf, chain.chain()]).toEqual([null, []]);
  });
});

describe('a resumed connection', () => {
  const remembered: Path = [leaf, lower, upper, root].map(({ certificate }) => certificate);

  async function resumed() {
    const listener = tls.createServer(server(lower, upper));
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const { port } = listener.address() as AddressInfo;
    const first = await dial(listener, port, { ca: root.pem });
    first.far.write('tickets go out');
    const session = await first.session;
    return dial(listener, port, { ca: root.pem, session });
  }

  it('has the path that was verified when its session began', async () => {
    const { near } = await resumed();
    expect(near.isSessionReused()).toBe(true);
    const chain = readPeerChain(near, { remembered });
    expect(chain).toMatchObject({ resumed: true, leaf: null, remembered });
    expect(chain.chain()).toEqual([]);
  });

  it('has only its certificate where no path was kept, or none where the session has none', async () => {
    const { near } = await resumed();
    const chain = readPeerChain(near, nothing);
    expect(chain).toMatchObject({ resumed: true, remembered: null });
    // Node 20 keeps the server's certificate in a resumed session, later ones don't: such a server is refused.
    if (process.versions.node.startsWith('20.')) expect(chain.leaf).not.toBeNull();
    if (chain.leaf !== null) expect(chain.leaf).toEqual(leaf.der);
    expect(named(chain.chain())).toEqual(chain.leaf === null ? [] : ['a']);
  });

  it("isn't assumed where the session was refused: the remembered path isn't used", async () => {
    const { near } = await handshake(server(lower, upper), { ca: root.pem });
    const chain = readPeerChain(near, { remembered });
    expect(chain).toMatchObject({ resumed: false, remembered: null });
    expect(chain.leaf).toEqual(leaf.der);
  });
});
