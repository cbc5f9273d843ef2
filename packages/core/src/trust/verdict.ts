/**
 * The verdict on every connection, resumed ones included. It decides in addition to OpenSSL, never instead: both must
 * say yes. It fails closed: an exception, an unknown state, a deadline all refuse.
 */
import { MalformedDerError, PeerNotAllowedError, UntrustedPeerError, type Reason } from '../errors/index.js';
import { CertificateIdentity, type PeerIdentity } from '../transport/peer-identity.js';
import {
  judgePath,
  parseCertificate,
  verifyPathSync,
  type Failure,
  type X509Certificate,
} from '../x509/index.js';
import { reasonOfOpenssl } from './openssl-reasons.js';
import { PathCache, type Path } from './path-cache.js';
import type { Presented } from './presented.js';
import type { RevocationVerdict } from './revocation.js';
import type { TrustPolicy } from './trust-policy.js';
import { sha256 } from './sha256.js';

/** Refusals are errors ready to be told; `peer` is null where no certificate was shown and none was required. */
export type Verdict =
  | { readonly ok: true; readonly peer: PeerIdentity | null }
  | {
      readonly ok: false;
      readonly error: UntrustedPeerError | PeerNotAllowedError;
      readonly peer: PeerIdentity | null;
    };

/** Judges peers, remembering the paths it has verified. */
export class Judge {
  readonly #paths: PathCache;

  constructor(paths = new PathCache()) {
    this.#paths = paths;
  }

  /**
   * @param signal fires when the time for a verdict is over
   * @returns at once where neither revocation nor `authorize` has to wait
   */
  judge(policy: TrustPolicy, presented: Presented, signal: AbortSignal): Verdict | Promise<Verdict> {
    const identified = this.#identify(policy, presented);
    if (!identified.ok) return identified;
    return this.#judgePeer(policy, identified.peer, signal);
  }

  /** Judges a peer again whose path was verified before: what may have changed since is all but its signatures. */
  judgeAgain(
    policy: TrustPolicy,
    peer: PeerIdentity | null,
    signal: AbortSignal,
  ): Verdict | Promise<Verdict> {
    if (peer === null || policy.verify !== 'chain') return this.#judgePeer(policy, peer, signal);
    const path = this.#findPath(
      policy,
      peer.certificate.fingerprint256,
      peer.path.map((certificate) => certificate.der),
      new Date(),
    );
    if (!('path' in path)) return refused(path, peer);
    return this.#judgePeer(policy, peer, signal);
  }

  #identify(policy: TrustPolicy, presented: Presented): Verdict {
    if (presented.ders.length === 0 && presented.remembered === null) {
      if (!policy.required) return { ok: true, peer: null };
      const who =
        policy.usage === 'client' ? 'the client showed no certificate' : 'the server showed no certificate';
      return { ok: false, error: new UntrustedPeerError('missing', 0, who), peer: null };
    }
    try {
      return policy.verify === 'chain' ? this.#verify(policy, presented) : unverified(presented);
    } catch (error) {
      const reason: Reason = 'malformed';
      const why = error instanceof MalformedDerError ? error.message : 'it could not be judged';
      return {
        ok: false,
        error: new UntrustedPeerError(reason, 0, `the peer’s certificate can’t be read: ${why}`, {
          cause: error,
        }),
        peer: null,
      };
    }
  }

  #verify(policy: TrustPolicy, presented: Presented): Verdict {
    const at = new Date();
    const ders = presented.remembered?.map((certificate) => certificate.der) ?? presented.ders;
    const found = this.#findPath(policy, sha256(ders[0] as Buffer), ders, at);
    if (!('path' in found)) return refused(found, null);
    if (presented.opensslError === null) {
      this.#paths.keep((found.path[0] as X509Certificate).fingerprint256, versionOf(policy), found.path);
      return { ok: true, peer: new CertificateIdentity(found.path) };
    }
    const { reason, message } = reasonOfOpenssl(presented.opensslError);
    return {
      ok: false,
      error: new UntrustedPeerError(reason, 0, message),
      peer: new CertificateIdentity(found.path),
    };
  }

  /** A path verified before is judged by today's date; where that fails, what was presented may hold a newer one. */
  #findPath(policy: TrustPolicy, leaf: string, ders: readonly Buffer[], at: Date): { path: Path } | Failure {
    const { usage, credentials } = policy;
    const name = policy.name ?? undefined;
    const known = this.#paths.find(leaf, versionOf(policy));
    if (known !== undefined && judgePath(known, { at, name, usage, rules: 'private' }).ok)
      return { path: known };
    const certificates = ders.map((der) => parseCertificate(der));
    const anchors = credentials.anchors ?? certificates.slice(-1);
    const verdict = verifyPathSync({
      leaf: certificates[0] as X509Certificate,
      intermediates: certificates.slice(1),
      anchors,
      at,
      ...(name !== undefined && { name }),
      usage,
      crls: [],
      rules: 'private',
      partialChain: policy.partialChain,
    });
    return verdict.ok ? { path: verdict.path } : verdict;
  }

  #judgePeer(
    policy: TrustPolicy,
    peer: PeerIdentity | null,
    signal: AbortSignal,
  ): Verdict | Promise<Verdict> {
    const pinned = peer === null || policy.pins === null || hasPin(policy, peer);
    if (!pinned) return notPinned(peer);
    if (peer === null || policy.revocation === null) return authorized(policy, peer, signal);
    let verdict: RevocationVerdict | Promise<RevocationVerdict>;
    try {
      verdict = policy.revocation.check(peer.path, { at: new Date(), signal });
    } catch (error) {
      return revocationFailed(peer, error);
    }
    if (!(verdict instanceof Promise)) return revocationJudged(policy, peer, verdict, signal);
    return verdict.then(
      (answer) => revocationJudged(policy, peer, answer, signal),
      (error: unknown) => revocationFailed(peer, error),
    );
  }
}

/** Without a CA of ours, the path ends where OpenSSL ended it, and its answer belongs to the leaf alone. */
function versionOf({ credentials, partialChain }: TrustPolicy): string {
  return partialChain ? `${credentials.anchorsVersion}+partial` : credentials.anchorsVersion;
}

function unverified(presented: Presented): Verdict {
  const path = presented.remembered ?? presented.ders.map((der) => parseCertificate(der));
  return { ok: true, peer: new CertificateIdentity(path) };
}

/** In addition to the chain any key of the path may be pinned; alone, only the peer's own key proves anything. */
function hasPin({ pins, verify }: TrustPolicy, peer: PeerIdentity): boolean {
  const candidates = verify === 'chain' ? peer.path : peer.path.slice(0, 1);
  return candidates.some((certificate) => pins?.has(certificate.spkiPin));
}

function notPinned(peer: PeerIdentity): Verdict {
  const message = `none of the pinned keys is the peer’s; ${peer.subject} has ${peer.spkiPin}`;
  return { ok: false, error: new UntrustedPeerError('pin-mismatch', 0, message), peer };
}

function refused({ reason, depth, message }: Failure, peer: PeerIdentity | null): Verdict {
  return { ok: false, error: new UntrustedPeerError(reason, depth, message), peer };
}

function revocationJudged(
  policy: TrustPolicy,
  peer: PeerIdentity,
  { status, depth, reason }: RevocationVerdict,
  signal: AbortSignal,
): Verdict | Promise<Verdict> {
  if (status === 'good') return authorized(policy, peer, signal);
  const subject = peer.path[depth]?.subject.toString() ?? peer.subject;
  if (status === 'revoked') {
    const message = `certificate ${depth} (${subject}) is revoked${reason === undefined ? '' : `: ${reason}`}`;
    return { ok: false, error: new UntrustedPeerError('revoked', depth, message), peer };
  }
  const stale = reason === 'crl-stale';
  const why = stale ? 'the CRL that covers it is out of date' : (reason ?? 'no CRL covers it');
  const message = `whether certificate ${depth} (${subject}) is revoked isn’t known: ${why}`;
  return {
    ok: false,
    error: new UntrustedPeerError(stale ? 'crl-stale' : 'revocation-unknown', depth, message),
    peer,
  };
}

function revocationFailed(peer: PeerIdentity, cause: unknown): Verdict {
  const message = `whether ${peer.subject} is revoked isn’t known: the revocation source failed`;
  return { ok: false, error: new UntrustedPeerError('revocation-unknown', 0, message, { cause }), peer };
}

function authorized(
  policy: TrustPolicy,
  peer: PeerIdentity | null,
  signal: AbortSignal,
): Verdict | Promise<Verdict> {
  if (policy.rules !== null) {
    const wanted = peer === null ? 'a certificate' : policy.rules(peer);
    if (wanted !== null) return notAllowed(peer, `authorize asks for ${wanted}`);
  }
  if (policy.authorize === null) return { ok: true, peer };
  let answer: boolean | Promise<boolean>;
  try {
    answer = policy.authorize(peer, { signal });
  } catch (cause) {
    return notAllowed(peer, 'authorize failed', cause);
  }
  if (!(answer instanceof Promise)) return answered(peer, answer);
  return answer.then(
    (value) => answered(peer, value),
    (cause: unknown) => notAllowed(peer, 'authorize failed', cause),
  );
}

/** Only `true` admits: a truthy slip of the tongue doesn't. */
function answered(peer: PeerIdentity | null, answer: boolean): Verdict {
  return answer === true ? { ok: true, peer } : notAllowed(peer, 'authorize said no');
}

function notAllowed(peer: PeerIdentity | null, why: string, cause?: unknown): Verdict {
  const who = peer === null ? 'a peer without a certificate' : peer.subject;
  return { ok: false, error: new PeerNotAllowedError(`${who} isn’t allowed: ${why}`, { cause }), peer };
}
