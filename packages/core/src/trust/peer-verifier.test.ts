import { rootCertificates } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { createCredentials, type Credentials } from '../credentials/credentials.js';
import { makeCertificate, type MadeCertificate } from '../testing/made-certificates.js';
import { CertificateIdentity } from '../transport/peer-identity.js';
import { parseCertificate } from '../x509/index.js';
import { PathCache, type Path } from './path-cache.js';
import type { PeerChain } from './peer-chain.js';
import { PeerVerifier, type VerificationResult } from './peer-verifier.js';
import { parseTrust, type TrustOptions, type TrustPolicy, type TrustSide } from './trust-policy.js';

const root = makeCertificate({ commonName: 'Root', isAuthority: true });
const between = makeCertificate({ commonName: 'Between', issuer: root, isAuthority: true });
const leaf = makeCertificate({ commonName: 'a', issuer: between, names: ['a.test'], usage: 'server' });
const stranger = makeCertificate({ commonName: 'Stranger', isAuthority: true });
const strange = makeCertificate({ commonName: 'a', issuer: stranger, names: ['a.test'], usage: 'server' });
const ours = createCredentials({ ca: root.pem });
const theirs = createCredentials({ ca: stranger.pem });
const defaults = createCredentials({});
const { signal } = new AbortController();

function policy(options: TrustOptions = {}, side: Partial<TrustSide> = {}): TrustPolicy {
  return parseTrust(options, {
    credentials: ours,
    usage: 'server',
    required: true,
    name: 'a.test',
    verify: 'chain',
    ...side,
  });
}

const trusting = (credentials: Credentials): TrustPolicy => policy({}, { credentials });

/** What a peer presents; reads of it are counted. */
function shown(certificates: readonly MadeCertificate[], facts: Partial<PeerChain> = {}) {
  const chain = {
    leaf: certificates[0]?.der ?? null,
    resumed: false,
    opensslError: null,
    remembered: null,
    reads: 0,
    chain: () => {
      chain.reads += 1;
      return certificates.map(({ der }) => der);
    },
    ...facts,
  };
  return chain;
}

function verify(
  trust: TrustPolicy,
  chain: PeerChain = shown([leaf, between]),
  verifier = new PeerVerifier(),
): VerificationResult {
  const result = verifier.verify(trust, chain, signal);
  if (result instanceof Promise) throw new Error('nothing here has to wait');
  return result;
}

const pathOf = (result: VerificationResult): readonly string[] | undefined =>
  result.peer?.path.map(({ subject }) => subject.toString());

describe('a peer', () => {
  it('is admitted by a path to one of our CAs, which is its identity', () => {
    const result = verify(policy());
    expect(result.ok).toBe(true);
    expect(pathOf(result)).toEqual(['CN=a', 'CN=Between', 'CN=Root']);
  });

  it.each<[string, TrustPolicy, PeerChain, string]>([
    ["under CAs that aren't ours", trusting(theirs), shown([leaf, between]), 'unknown-issuer'],
    ['without the certificates between', policy(), shown([leaf]), 'unknown-issuer'],
    ['with another name', policy({}, { name: 'b.test' }), shown([leaf, between]), 'wrong-name'],
    ['for another use', policy({}, { usage: 'client' }), shown([leaf, between]), 'wrong-usage'],
    ["with bytes that aren't a certificate", policy(), shown([], { leaf: Buffer.of(0x30, 0) }), 'malformed'],
  ])('is refused %s', (_how, trust, chain, reason) => {
    expect(verify(trust, chain)).toMatchObject({ ok: false, peer: null, error: { reason } });
  });

  it("isn't checked for a name where none is expected", () => {
    expect(verify(policy({}, { name: null })).ok).toBe(true);
  });

  it('that is refused is named in the error, with its certificate', () => {
    const refused = verify(policy({}, { name: 'b.test' }));
    expect(refused).toMatchObject({
      error: {
        position: 1,
        certificate: { names: ['a.test'], fingerprint256: leaf.certificate.fingerprint256 },
      },
    });
  });

  it("whose certificate can't be parsed is refused with the reason and the cause", () => {
    const refused = verify(policy(), shown([], { leaf: Buffer.alloc(3), chain: () => [Buffer.alloc(3)] }));
    expect(refused).toMatchObject({ ok: false, error: { reason: 'malformed', position: 1 } });
    if (refused.ok) throw new Error('it was admitted');
    expect(refused.error.message).toBe(
      `the peer's certificate can't be read: ${(refused.error.cause as Error).message}`,
    );
  });

  it('is refused where reading its certificates fails otherwise', () => {
    const cause = new TypeError('gone');
    const broken = shown([leaf], {
      chain: () => {
        throw cause;
      },
    });
    expect(verify(policy(), broken)).toMatchObject({
      error: { message: "the peer's certificate can't be read: it could not be verified", cause },
    });
  });

  it("that OpenSSL refuses is refused for OpenSSL's reason, even where its path is valid", () => {
    const chain = shown([leaf, between], { opensslError: 'CERT_HAS_EXPIRED' });
    const verifier = new PeerVerifier();
    const refused = verify(policy(), chain, verifier);
    expect(refused).toMatchObject({
      ok: false,
      error: { reason: 'expired', certificate: { names: ['a.test'] } },
      peer: { subject: 'CN=a' },
    });
    // Nor is its path remembered.
    const again = shown([leaf, between]);
    verify(policy(), again, verifier);
    expect(again.reads).toBe(1);
  });

  it('without a certificate is admitted only where none is required', () => {
    const none = shown([]);
    expect(verify(policy({}, { required: false }), none)).toEqual({ ok: true, peer: null });
    const refused = verify(policy(), none);
    expect(refused).toMatchObject({
      ok: false,
      peer: null,
      error: { reason: 'no-certificate', position: 1 },
    });
    expect(refused.ok ? '' : refused.error.message).toBe('the server sent no certificate');
  });

  it('without a certificate passes neither pins nor revocation, nor rules that need one', () => {
    const pins = [leaf.certificate.spkiPin];
    const optional = { required: false };
    const check = (): never => {
      throw new Error('nobody is asked');
    };
    const revocation = { version: '1', onChange: () => () => undefined, check };
    expect(verify(policy({ pins, revocation }, optional), shown([]))).toEqual({ ok: true, peer: null });
    expect(verify(policy({ authorize: () => false }, optional), shown([]))).toMatchObject({
      ok: false,
      error: { code: 'KNSOCK_PEER_NOT_ALLOWED' },
    });
  });

  it('of the default store is verified by where OpenSSL ended its path: at a self-signed root', () => {
    const public_ = { credentials: defaults };
    expect(pathOf(verify(policy({}, public_), shown([leaf, between, root])))).toHaveLength(3);
    expect(verify(policy({}, public_), shown([leaf, between]))).toMatchObject({ ok: false });
    const partial = verify(policy({ partialChain: true }, public_), shown([leaf, between]));
    expect(pathOf(partial)).toEqual(['CN=a', 'CN=Between']);
  });

  it("may end at a CA that isn't a root only where partialChain says so", () => {
    const credentials = createCredentials({ ca: between.pem });
    expect(verify(policy({ partialChain: true }, { credentials }), shown([leaf])).ok).toBe(true);
    expect(verify(policy({}, { credentials }), shown([leaf])).ok).toBe(false);
  });
});

describe('pins', () => {
  const pinned = (certificate: MadeCertificate, verifying: TrustPolicy['verify'] = 'chain') =>
    verify(policy({ pins: [certificate.certificate.spkiPin] }, { verify: verifying }));

  it('match any key of the path, in addition to the chain', () => {
    expect([leaf, between, root].map((certificate) => pinned(certificate).ok)).toEqual([true, true, true]);
    const refused = pinned(stranger);
    expect(refused).toMatchObject({
      error: { reason: 'pin-mismatch', position: 1, certificate: { subject: 'CN=a' } },
      peer: { subject: 'CN=a' },
    });
    expect(refused.ok ? '' : refused.error.message).toContain(`CN=a has ${leaf.certificate.spkiPin}`);
  });

  it('still require the chain', () => {
    const trust = policy({ pins: [strange.certificate.spkiPin] });
    expect(verify(trust, shown([strange, stranger]))).toMatchObject({ ok: false });
  });

  it("alone require the peer's own key, and nothing else", () => {
    expect(pinned(leaf, 'pins').ok).toBe(true);
    expect(pinned(between, 'pins')).toMatchObject({ error: { reason: 'pin-mismatch' } });
    const name = policy({ pins: [leaf.certificate.spkiPin] }, { verify: 'pins', name: 'other.test' });
    expect(verify(name, shown([leaf], { opensslError: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' })).ok).toBe(true);
  });
});

describe('without verification', () => {
  it('a peer with any certificate is admitted, with the identity that it states', () => {
    const result = verify(
      policy({}, { verify: 'nothing' }),
      shown([strange, stranger], { opensslError: 'X' }),
    );
    expect(result.ok).toBe(true);
    expect(pathOf(result)).toEqual(['CN=a', 'CN=Stranger']);
  });
});

describe('a known peer', () => {
  it('is admitted without its certificates being read again', () => {
    const verifier = new PeerVerifier();
    const chains = [shown([leaf, between]), shown([leaf, between])];
    for (const chain of chains) expect(verify(policy(), chain, verifier).ok).toBe(true);
    expect(chains.map(({ reads }) => reads)).toEqual([1, 0]);
  });

  it('is verified from scratch under other CAs, or where chains may end earlier', () => {
    const verifier = new PeerVerifier();
    verify(policy(), shown([leaf, between]), verifier);
    expect(verify(trusting(theirs), shown([leaf, between]), verifier).ok).toBe(false);
    const partial = shown([leaf, between]);
    verify(policy({ partialChain: true }), partial, verifier);
    expect(partial.reads).toBe(1);
  });

  it('is refused for another name or use than it was verified for', () => {
    const verifier = new PeerVerifier();
    verify(policy(), shown([leaf, between]), verifier);
    expect(verify(policy({}, { name: 'b.test' }), shown([leaf, between]), verifier).ok).toBe(false);
    expect(verify(policy({}, { usage: 'client' }), shown([leaf, between]), verifier).ok).toBe(false);
    expect(verify(policy(), shown([leaf, between]), verifier).ok).toBe(true);
  });

  it("isn't recognised by another certificate", () => {
    const verifier = new PeerVerifier();
    verify(policy(), shown([leaf, between]), verifier);
    expect(verify(policy(), shown([strange, stranger]), verifier).ok).toBe(false);
  });

  it('whose path has expired is verified by what it presents now', () => {
    const before = makeCertificate({
      commonName: 'Between',
      issuer: root,
      isAuthority: true,
      to: new Date(Date.now() - 3_600_000),
    });
    const renewed = makeCertificate({ commonName: 'Between', issuer: root, isAuthority: true, key: before });
    const peer = makeCertificate({ commonName: 'a', issuer: before, names: ['a.test'], usage: 'server' });
    const paths = new PathCache();
    const version = ours.anchorsVersion;
    const known = [peer, before, root].map(({ certificate }) => certificate);
    paths.keep(peer.certificate.fingerprint256, version, known);
    const verifier = new PeerVerifier(paths);
    expect(verify(policy(), shown([peer, before]), verifier)).toMatchObject({ error: { reason: 'expired' } });
    expect(verify(policy(), shown([peer, renewed]), verifier).ok).toBe(true);
  });

  it('that resumes a session is verified by the path that was verified when it began', () => {
    const remembered: Path = [leaf, between, root].map(({ certificate }) => certificate);
    const resumed = shown([], { leaf: null, resumed: true, remembered });
    const result = verify(policy(), resumed);
    expect(result.ok).toBe(true);
    expect(resumed.reads).toBe(0);
    expect(verify(trusting(theirs), resumed)).toMatchObject({ error: { reason: 'unknown-issuer' } });
    expect(verify(policy({}, { verify: 'nothing' }), resumed).peer?.path).toBe(remembered);
  });
});

describe('a live peer', () => {
  const identity = new CertificateIdentity([leaf, between, root].map(({ certificate }) => certificate));
  const again = (trust: TrustPolicy, peer: CertificateIdentity | null = identity) =>
    new PeerVerifier().reverify(trust, peer, signal) as VerificationResult;

  it('stays as long as its path leads to one of our CAs', () => {
    expect(again(policy())).toEqual({ ok: true, peer: identity });
    expect(again(trusting(theirs))).toMatchObject({
      ok: false,
      error: { reason: 'unknown-issuer' },
      peer: identity,
    });
    expect(again(policy({}, { name: 'b.test' }))).toMatchObject({ error: { reason: 'wrong-name' } });
  });

  it('under the default store stays only by a root that is in it', () => {
    const pem = rootCertificates.find((one) => {
      const { notAfter, isSelfSigned } = parseCertificate(one);
      return isSelfSigned && notAfter.getTime() > Date.now();
    });
    const known = new CertificateIdentity([parseCertificate(pem ?? '')]);
    const trust = policy({}, { credentials: defaults, name: null });
    // A root's own certificate is valid for no server, which is reported only once its path was found.
    expect(again(trust, known)).not.toMatchObject({ error: { reason: 'unknown-issuer' } });
    expect(again(trust)).toMatchObject({ error: { reason: 'unknown-issuer' } });
  });

  it('is checked against pins and rules again', () => {
    expect(again(policy({ pins: [strange.certificate.spkiPin] }))).toMatchObject({
      error: { reason: 'pin-mismatch' },
    });
    expect(again(policy({ authorize: () => false }))).toMatchObject({
      error: { code: 'KNSOCK_PEER_NOT_ALLOWED' },
    });
    expect(again(policy({}, { required: true }), null)).toMatchObject({
      error: { reason: 'no-certificate' },
    });
    expect(again(policy({}, { required: false }), null)).toEqual({ ok: true, peer: null });
  });

  it("whose chain was never verified isn't verified by it now", () => {
    const trust = policy({}, { credentials: theirs, verify: 'nothing' });
    expect(again(trust)).toEqual({ ok: true, peer: identity });
  });
});

describe('an asynchronous check', () => {
  it('is awaited: revocation, then rules', async () => {
    const order: string[] = [];
    const trust = policy({
      revocation: {
        version: '1',
        onChange: () => () => undefined,
        check: async () => {
          await Promise.resolve();
          order.push('revocation');
          return { status: 'good', position: 1 };
        },
      },
      authorize: async (peer) => {
        await Promise.resolve();
        order.push('authorize');
        return peer?.subject === 'CN=b';
      },
    });
    const verifying = new PeerVerifier().verify(trust, shown([leaf, between]), signal);
    expect(verifying).toBeInstanceOf(Promise);
    expect(await verifying).toMatchObject({
      ok: false,
      error: { code: 'KNSOCK_PEER_NOT_ALLOWED' },
      peer: { subject: 'CN=a' },
    });
    expect(order).toEqual(['revocation', 'authorize']);
  });

  it("isn't followed by rules once a certificate is revoked", async () => {
    const asked: string[] = [];
    const check = () => Promise.resolve({ status: 'revoked', position: 2 } as const);
    const trust = policy({
      revocation: { version: '1', onChange: () => () => undefined, check },
      authorize: () => asked.push('authorize') > 0,
    });
    const result = await new PeerVerifier().verify(trust, shown([leaf, between]), signal);
    expect(result).toMatchObject({ ok: false, error: { reason: 'revoked', position: 2 } });
    expect(asked).toEqual([]);
  });
});

describe('the work for an unauthenticated peer', () => {
  /** CAs of one name that have all signed each other, none of which leads to a CA of ours. */
  function tangle(count: number): MadeCertificate[] {
    const keys = Array.from({ length: count }, () =>
      makeCertificate({ commonName: 'Maze', isAuthority: true }),
    );
    return keys.flatMap((issuer) =>
      keys
        .filter((key) => key !== issuer)
        .map((key) => makeCertificate({ commonName: 'Maze', issuer, isAuthority: true, key })),
    );
  }

  it('is bounded, and more tightly where OpenSSL has refused it', () => {
    const maze = tangle(6);
    const [entry] = maze as [MadeCertificate];
    const lost = makeCertificate({ commonName: 'a', issuer: entry, names: ['a.test'], usage: 'server' });
    const trusted = verify(policy(), shown([lost, ...maze]));
    const refused = verify(policy(), shown([lost, ...maze], { opensslError: 'CERT_UNTRUSTED' }));
    expect([trusted, refused].map(({ ok }) => ok)).toEqual([false, false]);
    const [more, fewer] = [trusted, refused].map((result) => (result.ok ? '' : result.error.message));
    expect(more).toContain('16');
    expect(fewer).toContain('6');
    expect(fewer).not.toContain('16');
  });
});
