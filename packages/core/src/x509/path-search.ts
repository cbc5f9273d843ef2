import type { X509Certificate } from './certificate.js';
import { failure, showSubject, type Failure } from './failure.js';
import { keyWeakness } from './key-strength.js';
import type { RuleSet } from './rules.js';
import { verifySignature, type SignatureVerdict } from './signature.js';

/** Signatures checked per search: a real path needs a handful, a hostile mesh of cross-signed CAs would need millions. */
const MAX_SIGNATURES = 100;

export interface SearchOptions {
  readonly leaf: X509Certificate;
  readonly intermediates: readonly X509Certificate[];
  readonly anchors: readonly X509Certificate[];
  /** Milliseconds; certificates that are valid then are tried first. */
  readonly at: number;
  /** How many CAs, self-issued ones not counted, may stand between leaf and anchor. */
  readonly maxDepth: number;
  /** Whether a path may end at an anchor that isn't self-issued. */
  readonly partialChain: boolean;
  readonly rules: RuleSet;
}

/**
 * Finds the paths from a leaf to an anchor whose signatures hold, the likeliest first (RFC 4158), within a budget of
 * signature checks. It decides on nothing else; whoever takes the paths judges them.
 */
export class PathSearch {
  readonly #options: SearchOptions;
  readonly #anchors: ReadonlySet<string>;
  readonly #issuers: ReadonlyMap<string, readonly X509Certificate[]>;
  readonly #verdicts = new Map<string, SignatureVerdict>();
  #partialChain: Failure | undefined;
  #deadEnd: Failure | undefined;
  #deadEndLength = 0;

  constructor(options: SearchOptions) {
    this.#options = options;
    this.#anchors = new Set(options.anchors.map(({ fingerprint256 }) => fingerprint256));
    this.#issuers = groupBySubject([...options.anchors, ...options.intermediates]);
  }

  /** Why no path was found: what stopped the longest attempt. */
  get deadEnd(): Failure {
    return (
      this.#partialChain ??
      this.#deadEnd ??
      failure('unknown-issuer', [this.#options.leaf], 0, 'leads to no trusted CA')
    );
  }

  paths(): Generator<readonly X509Certificate[], void, undefined> {
    return this.#extend([this.#options.leaf]);
  }

  *#extend(path: readonly X509Certificate[]): Generator<readonly X509Certificate[], void, undefined> {
    const { maxDepth } = this.#options;
    const subject = path.at(-1) as X509Certificate;
    const intermediates = path.slice(1, -1).filter(({ isSelfIssued }) => !isSelfIssued).length;
    if (intermediates > maxDepth) {
      return this.#stop(
        path,
        'path-length',
        `has more CAs above itself (${intermediates}) than are followed (${maxDepth})`,
        0,
      );
    }
    if (this.#isAnchor(path, subject)) yield path;
    const issuers = this.#candidates(subject, path);
    for (const issuer of issuers) {
      const weakness = keyWeakness(issuer.publicKeyInfo, this.#options.rules);
      const problem = weakness === undefined ? this.#signatureProblem(subject, issuer) : undefined;
      if (weakness !== undefined) this.#stop([...path, issuer], 'weak', `has ${weakness}`, path.length);
      else if (problem) this.#stop(path, problem.reason, problem.text, path.length - 1);
      else yield* this.#extend([...path, issuer]);
    }
    if (issuers.length > 0) return;
    const { reason, text } = this.#orphanProblem(subject, path);
    this.#stop(path, reason, text, path.length - 1);
  }

  #isAnchor(path: readonly X509Certificate[], certificate: X509Certificate): boolean {
    if (!this.#anchors.has(certificate.fingerprint256)) return false;
    if (this.#options.partialChain || certificate.isSelfIssued || this.#isSelfSigned(certificate))
      return true;
    this.#partialChain ??= failure(
      'unknown-issuer',
      path,
      path.length - 1,
      'is trusted, but isn’t self-signed; say partialChain to let a path end there',
    );
    return false;
  }

  /** The strength of the key comes first: keys of a stranger's making can keep OpenSSL busy. */
  #isSelfSigned(certificate: X509Certificate): boolean {
    return (
      keyWeakness(certificate.publicKeyInfo, this.#options.rules) === undefined && certificate.isSelfSigned
    );
  }

  /** Those of the issuer's name that aren't on the path yet, under any certificate of theirs (RFC 4158 5.2). */
  #candidates(subject: X509Certificate, path: readonly X509Certificate[]): X509Certificate[] {
    const named = this.#issuers.get(subject.issuer.key) ?? [];
    const fresh = named.filter((issuer) => !path.some((member) => isSameAuthority(member, issuer)));
    return fresh
      .map((issuer) => ({ issuer, rank: this.#rank(subject, issuer) }))
      .sort((a, b) => b.rank - a.rank)
      .map(({ issuer }) => issuer);
  }

  /** Key identifiers are hints: they order, the signature decides. */
  #rank({ authorityKeyIdentifier }: X509Certificate, issuer: X509Certificate): number {
    const { at } = this.#options;
    const wanted = authorityKeyIdentifier?.keyIdentifier;
    const own = issuer.subjectKeyIdentifier;
    const keyRank = wanted && own ? (wanted.equals(own) ? 4 : -4) : 0;
    const isCurrent = issuer.notBefore.getTime() <= at && at <= issuer.notAfter.getTime();
    return keyRank + (this.#anchors.has(issuer.fingerprint256) ? 2 : 0) + (isCurrent ? 1 : 0);
  }

  #signatureProblem(subject: X509Certificate, issuer: X509Certificate): Problem | undefined {
    const verdict = this.#verify(subject, issuer);
    if (!verdict)
      return {
        reason: 'unknown-issuer',
        text: `leads to no trusted CA within ${MAX_SIGNATURES} signature checks`,
      };
    if ('problem' in verdict) return { reason: 'weak', text: `is signed with ${verdict.problem}` };
    if (verdict.status === 'good') return undefined;
    const text = `isn’t signed by the key of ${showSubject(issuer)}, which has the name of its issuer: it was changed, or another CA of that name made it`;
    return { reason: 'unknown-issuer', text };
  }

  /** Checks a signature once; undefined where the budget is spent. */
  #verify(subject: X509Certificate, issuer: X509Certificate): SignatureVerdict | undefined {
    const key = `${subject.fingerprint256} ${issuer.spkiPin}`;
    const known = this.#verdicts.get(key);
    if (known || this.#verdicts.size >= MAX_SIGNATURES) return known;
    const verdict = verifySignature(subject, () => issuer.publicKey);
    this.#verdicts.set(key, verdict);
    return verdict;
  }

  #orphanProblem(subject: X509Certificate, path: readonly X509Certificate[]): Problem {
    const isSelfSigned = subject.isSelfIssued && this.#isSelfSigned(subject);
    if (isSelfSigned && path.length === 1)
      return { reason: 'self-signed', text: 'is self-signed and not among the trusted certificates' };
    if (isSelfSigned)
      return {
        reason: 'unknown-issuer',
        text: 'ends the chain; it is self-signed and not among the trusted certificates',
      };
    return {
      reason: 'unknown-issuer',
      text: `was issued by ${subject.issuer}, which is neither trusted nor sent along`,
    };
  }

  #stop(path: readonly X509Certificate[], reason: Failure['reason'], text: string, depth: number): void {
    if (path.length <= this.#deadEndLength) return;
    this.#deadEndLength = path.length;
    this.#deadEnd = failure(reason, path, depth, text);
  }
}

interface Problem {
  readonly reason: Failure['reason'];
  readonly text: string;
}

function groupBySubject(certificates: readonly X509Certificate[]): Map<string, X509Certificate[]> {
  const groups = new Map<string, X509Certificate[]>();
  const seen = new Set<string>();
  for (const certificate of certificates) {
    if (seen.has(certificate.fingerprint256)) continue;
    seen.add(certificate.fingerprint256);
    const group = groups.get(certificate.subject.key);
    if (group) group.push(certificate);
    else groups.set(certificate.subject.key, [certificate]);
  }
  return groups;
}

const isSameAuthority = (a: X509Certificate, b: X509Certificate): boolean =>
  a.subject.equals(b.subject) && a.publicKeyInfo.der.equals(b.publicKeyInfo.der);
