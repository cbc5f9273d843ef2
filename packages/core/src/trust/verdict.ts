/**
 * The verdict on every connection, resumed ones included. It decides in addition to OpenSSL, never instead: both must
 * say yes. It fails closed: an exception, an unknown state, a deadline all refuse.
 */
import { MalformedDerError, UntrustedPeerError, type PeerNotAllowedError } from '../errors/index.js';
import { CertificateIdentity, type PeerIdentity } from '../transport/peer-identity.js';
import { parseCertificate, verifyPathSync, type Failure, type X509Certificate } from '../x509/index.js';
import { isDefaultRoot } from './default-store.js';
import { evidenceOf } from './evidence.js';
import { isThenable } from '../errors/thenable.js';
import { judgeRevocation } from './judge-revocation.js';
import { judgeRules } from './judge-rules.js';
import { reasonOfOpenssl } from '../errors/openssl-reasons.js';
import { PathCache, type Path } from './path-cache.js';
import type { Presented } from './presented.js';
import { sha256 } from './sha256.js';
import type { TrustPolicy } from './trust-policy.js';

/**
 * Signatures that a peer may have us check. A stranger can send a dozen CAs that have signed each other with keys as
 * slow as they come; what OpenSSL refuses is looked at only to say why.
 */
const MAX_SIGNATURES = { trusted: 16, refused: 6 } as const;

type Refusal = UntrustedPeerError | PeerNotAllowedError;

/** Refusals are errors ready to be told; `peer` is null where no certificate was shown and none was required. */
export type Verdict =
  | { readonly ok: true; readonly peer: PeerIdentity | null }
  | { readonly ok: false; readonly error: Refusal; readonly peer: PeerIdentity | null };

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
    return judgePeer(policy, identified.peer, signal);
  }

  /** Judges a peer again whose path was verified before: what may have changed since is all but its signatures. */
  judgeAgain(
    policy: TrustPolicy,
    peer: PeerIdentity | null,
    signal: AbortSignal,
  ): Verdict | Promise<Verdict> {
    if (peer === null || policy.verify !== 'chain') return judgePeer(policy, peer, signal);
    const { fingerprint256 } = peer.certificate;
    // Without a handshake OpenSSL isn't asked, so what ends in a root of somebody's own must not pass for a public one.
    const anchors = policy.credentials.anchors ?? peer.path.slice(-1).filter(isPublic);
    const found = this.#findPath(policy, fingerprint256, () => peer.path, anchors, MAX_SIGNATURES.trusted);
    return 'path' in found ? judgePeer(policy, peer, signal) : refused(found, peer);
  }

  #identify(policy: TrustPolicy, presented: Presented): Verdict {
    if (presented.leaf === null && presented.remembered === null) {
      return policy.required ? missing(policy) : { ok: true, peer: null };
    }
    try {
      return policy.verify === 'chain' ? this.#verify(policy, presented) : unverified(presented);
    } catch (cause) {
      const why = cause instanceof MalformedDerError ? cause.message : 'it could not be judged';
      const message = `the peer’s certificate can’t be read: ${why}`;
      return { ok: false, error: new UntrustedPeerError('malformed', 0, message, { cause }), peer: null };
    }
  }

  #verify(policy: TrustPolicy, presented: Presented): Verdict {
    const fingerprint = presented.remembered?.[0]?.fingerprint256 ?? sha256(presented.leaf as Buffer);
    const { anchors } = policy.credentials;
    const budget = presented.opensslError === null ? MAX_SIGNATURES.trusted : MAX_SIGNATURES.refused;
    const found = this.#findPath(policy, fingerprint, () => certificatesOf(presented), anchors, budget);
    if (!('path' in found)) return refused(found, null);
    const peer = new CertificateIdentity(found.path);
    if (presented.opensslError === null) {
      this.#paths.keep(fingerprint, versionOf(policy), found.path);
      return { ok: true, peer };
    }
    const { reason, message } = reasonOfOpenssl(presented.opensslError);
    const certificate = evidenceOf(peer.certificate);
    return { ok: false, error: new UntrustedPeerError(reason, 0, message, { certificate }), peer };
  }

  /**
   * A path verified before is judged by today's date; where that fails, what was presented may hold a newer one.
   * @param read reads what was presented, which a known peer costs nobody
   * @param anchors null: what was presented ends where OpenSSL ended it, in a root of the default store
   */
  #findPath(
    policy: TrustPolicy,
    leaf: string,
    read: () => Path,
    anchors: Path | null,
    maxSignatures: number,
  ): { path: Path } | Failure {
    const { usage, partialChain } = policy;
    const name = policy.name ?? undefined;
    const at = new Date();
    const known = this.#paths.find(leaf, versionOf(policy));
    if (known?.isGood({ at, name, usage }) === true) return { path: known.path };
    const certificates = read();
    const verdict = verifyPathSync({
      leaf: certificates[0] as X509Certificate,
      intermediates: certificates.slice(1),
      // What doesn't end in a root ended where OpenSSL found no further.
      anchors: anchors ?? certificates.slice(-1).filter((end) => partialChain || end.isSelfIssued),
      at,
      ...(name !== undefined && { name }),
      usage,
      crls: [],
      rules: 'private',
      partialChain,
      maxSignatures,
    });
    return verdict.ok ? { path: verdict.path } : verdict;
  }
}

function judgePeer(
  policy: TrustPolicy,
  peer: PeerIdentity | null,
  signal: AbortSignal,
): Verdict | Promise<Verdict> {
  if (peer === null && policy.required) return missing(policy);
  if (peer !== null && policy.pins !== null && !hasPin(policy, peer)) return notPinned(peer);
  const revoked =
    peer === null || policy.revocation === null ? null : judgeRevocation(policy.revocation, peer, signal);
  const rules = (refusal: Refusal | null): Verdict | Promise<Verdict> => {
    if (refusal !== null) return { ok: false, error: refusal, peer };
    const ruled = judgeRules(policy, peer, signal);
    return isThenable(ruled) ? ruled.then((again) => conclude(again, peer)) : conclude(ruled, peer);
  };
  return isThenable(revoked) ? revoked.then(rules) : rules(revoked);
}

function conclude(refusal: Refusal | null, peer: PeerIdentity | null): Verdict {
  return refusal === null ? { ok: true, peer } : { ok: false, error: refusal, peer };
}

/** Paths that end where OpenSSL ended them are no proof under a CA of ours, nor the other way round. */
function versionOf({ credentials, partialChain }: TrustPolicy): string {
  return partialChain ? `${credentials.anchorsVersion}+partial` : credentials.anchorsVersion;
}

const isPublic = ({ fingerprint256 }: X509Certificate): boolean => isDefaultRoot(fingerprint256);

function certificatesOf(presented: Presented): Path {
  return presented.remembered ?? presented.chain().map((der) => parseCertificate(der));
}

function unverified(presented: Presented): Verdict {
  return { ok: true, peer: new CertificateIdentity(certificatesOf(presented)) };
}

function missing({ usage }: TrustPolicy): Verdict {
  const message = `the ${usage} showed no certificate`;
  return { ok: false, error: new UntrustedPeerError('missing', 0, message), peer: null };
}

/** In addition to the chain any key of the path may be pinned; alone, only the peer's own key proves anything. */
function hasPin({ pins, verify }: TrustPolicy, peer: PeerIdentity): boolean {
  const candidates = verify === 'chain' ? peer.path : peer.path.slice(0, 1);
  return candidates.some((certificate) => pins?.has(certificate.spkiPin));
}

function notPinned(peer: PeerIdentity): Verdict {
  const message = `none of the pinned keys is the peer’s; ${peer.subject} has ${peer.spkiPin}`;
  const certificate = evidenceOf(peer.certificate);
  return { ok: false, error: new UntrustedPeerError('pin-mismatch', 0, message, { certificate }), peer };
}

function refused(failure: Failure, peer: PeerIdentity | null): Verdict {
  const { reason, depth, message, certificate, hint } = failure;
  const details = {
    ...(certificate !== undefined && { certificate: evidenceOf(certificate) }),
    ...(hint !== undefined && { hint }),
  };
  return { ok: false, error: new UntrustedPeerError(reason, depth, message, details), peer };
}
