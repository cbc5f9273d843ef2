/**
 * Verifies the peer of every connection, resumed ones included. It verifies in addition to OpenSSL, never instead: both must
 * accept. It fails closed: an exception, an unknown state or a deadline refuses.
 */
import { MalformedDerError, UntrustedPeerError, type PeerNotAllowedError } from '../errors/index.js';
import { CertificateIdentity, type PeerIdentity } from '../transport/peer-identity.js';
import { parseCertificate, verifyPathSync, type Failure, type X509Certificate } from '../x509/index.js';
import { isDefaultRoot } from './default-store.js';
import { evidenceOf } from './evidence.js';
import { isThenable } from '../errors/thenable.js';
import { checkPeerRevocation } from './peer-revocation.js';
import { authorizePeer } from './authorize-peer.js';
import { reasonOfOpenssl } from '../errors/openssl-reasons.js';
import { PathCache, type Path } from './path-cache.js';
import type { PeerChain } from './peer-chain.js';
import { sha256 } from './sha256.js';
import type { TrustPolicy } from './trust-policy.js';

/**
 * The most signatures checked for one peer. An unauthenticated client can send a dozen CAs that signed each other with the
 * slowest keys; what OpenSSL refuses is checked only to report why.
 */
const MAX_SIGNATURES = { trusted: 16, refused: 6 } as const;

type Refusal = UntrustedPeerError | PeerNotAllowedError;

/** Refusals are errors ready to throw; `peer` is null where no certificate was shown and none was required. */
export type VerificationResult =
  | { readonly ok: true; readonly peer: PeerIdentity | null }
  | { readonly ok: false; readonly error: Refusal; readonly peer: PeerIdentity | null };

/** Verifies peers, remembering the paths it has verified. */
export class PeerVerifier {
  readonly #paths: PathCache;

  constructor(paths = new PathCache()) {
    this.#paths = paths;
  }

  /**
   * @param signal fires when the time for a verification is over
   * @returns at once where neither revocation nor `authorize` has to wait
   */
  verify(
    policy: TrustPolicy,
    chain: PeerChain,
    signal: AbortSignal,
  ): VerificationResult | Promise<VerificationResult> {
    const identified = this.#identify(policy, chain);
    if (!identified.ok) return identified;
    return verifyPeer(policy, identified.peer, signal);
  }

  /** Verifies a peer again whose path was verified before: everything but its signatures may have changed since. */
  reverify(
    policy: TrustPolicy,
    peer: PeerIdentity | null,
    signal: AbortSignal,
  ): VerificationResult | Promise<VerificationResult> {
    if (peer === null || policy.verify !== 'chain') return verifyPeer(policy, peer, signal);
    const { fingerprint256 } = peer.certificate;
    // Without a handshake OpenSSL doesn't verify, so a private root must not pass for a public one.
    const anchors = policy.credentials.anchors ?? peer.path.slice(-1).filter(isPublic);
    const found = this.#findPath(policy, fingerprint256, () => peer.path, anchors, MAX_SIGNATURES.trusted);
    return 'path' in found ? verifyPeer(policy, peer, signal) : refused(found, peer);
  }

  #identify(policy: TrustPolicy, chain: PeerChain): VerificationResult {
    if (chain.leaf === null && chain.remembered === null) {
      return policy.required ? missing(policy) : { ok: true, peer: null };
    }
    try {
      return policy.verify === 'chain' ? this.#verify(policy, chain) : unverified(chain);
    } catch (cause) {
      const why = cause instanceof MalformedDerError ? cause.message : 'it could not be verified';
      const message = `the peer's certificate can't be read: ${why}`;
      return { ok: false, error: new UntrustedPeerError('malformed', 1, message, { cause }), peer: null };
    }
  }

  #verify(policy: TrustPolicy, chain: PeerChain): VerificationResult {
    const fingerprint = chain.remembered?.[0]?.fingerprint256 ?? sha256(chain.leaf as Buffer);
    const { anchors } = policy.credentials;
    const budget = chain.opensslError === null ? MAX_SIGNATURES.trusted : MAX_SIGNATURES.refused;
    const found = this.#findPath(policy, fingerprint, () => certificatesOf(chain), anchors, budget);
    if (!('path' in found)) return refused(found, null);
    const peer = new CertificateIdentity(found.path);
    if (chain.opensslError === null) {
      this.#paths.keep(fingerprint, versionOf(policy), found.path);
      return { ok: true, peer };
    }
    const { reason, message } = reasonOfOpenssl(chain.opensslError);
    const certificate = evidenceOf(peer.certificate);
    return { ok: false, error: new UntrustedPeerError(reason, 1, message, { certificate }), peer };
  }

  /**
   * A path verified before is checked against the current date; where that fails, the presented chain may hold a newer one.
   * @param read reads the certificates sent; not called for a known peer
   * @param anchors null: the chain ends where OpenSSL ended it, in a root of the default store
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
    const result = verifyPathSync({
      leaf: certificates[0] as X509Certificate,
      intermediates: certificates.slice(1),
      // A chain that doesn't end in a root ended where OpenSSL found no issuer.
      anchors: anchors ?? certificates.slice(-1).filter((end) => partialChain || end.isSelfIssued),
      at,
      ...(name !== undefined && { name }),
      usage,
      crls: [],
      rules: 'private',
      partialChain,
      maxSignatures,
    });
    return result.ok ? { path: result.path } : result;
  }
}

function verifyPeer(
  policy: TrustPolicy,
  peer: PeerIdentity | null,
  signal: AbortSignal,
): VerificationResult | Promise<VerificationResult> {
  if (peer === null && policy.required) return missing(policy);
  if (peer !== null && policy.pins !== null && !hasPin(policy, peer)) return notPinned(peer);
  const revoked =
    peer === null || policy.revocation === null ? null : checkPeerRevocation(policy.revocation, peer, signal);
  const rules = (refusal: Refusal | null): VerificationResult | Promise<VerificationResult> => {
    if (refusal !== null) return { ok: false, error: refusal, peer };
    const ruled = authorizePeer(policy, peer, signal);
    return isThenable(ruled) ? ruled.then((again) => conclude(again, peer)) : conclude(ruled, peer);
  };
  return isThenable(revoked) ? revoked.then(rules) : rules(revoked);
}

function conclude(refusal: Refusal | null, peer: PeerIdentity | null): VerificationResult {
  return refusal === null ? { ok: true, peer } : { ok: false, error: refusal, peer };
}

/** A path that ends where OpenSSL ended it proves nothing under a CA of ours, nor the other way round. */
function versionOf({ credentials, partialChain }: TrustPolicy): string {
  return partialChain ? `${credentials.anchorsVersion}+partial` : credentials.anchorsVersion;
}

const isPublic = ({ fingerprint256 }: X509Certificate): boolean => isDefaultRoot(fingerprint256);

function certificatesOf(chain: PeerChain): Path {
  return chain.remembered ?? chain.chain().map((der) => parseCertificate(der));
}

function unverified(chain: PeerChain): VerificationResult {
  return { ok: true, peer: new CertificateIdentity(certificatesOf(chain)) };
}

function missing({ usage }: TrustPolicy): VerificationResult {
  const message = `the ${usage} sent no certificate`;
  return { ok: false, error: new UntrustedPeerError('no-certificate', 1, message), peer: null };
}

/** In addition to the chain any key of the path may be pinned; without the chain, only the peer's own key. */
function hasPin({ pins, verify }: TrustPolicy, peer: PeerIdentity): boolean {
  const candidates = verify === 'chain' ? peer.path : peer.path.slice(0, 1);
  return candidates.some((certificate) => pins?.has(certificate.spkiPin));
}

function notPinned(peer: PeerIdentity): VerificationResult {
  const message = `none of the pinned keys is in the peer's chain; ${peer.subject} has ${peer.spkiPin}`;
  const certificate = evidenceOf(peer.certificate);
  return { ok: false, error: new UntrustedPeerError('pin-mismatch', 1, message, { certificate }), peer };
}

function refused(failure: Failure, peer: PeerIdentity | null): VerificationResult {
  const { reason, position, message, certificate, hint } = failure;
  const details = {
    ...(certificate !== undefined && { certificate: evidenceOf(certificate) }),
    ...(hint !== undefined && { hint }),
  };
  return { ok: false, error: new UntrustedPeerError(reason, position, message, details), peer };
}
