import type { PeerReason } from '../errors/reason.js';
import type { X509Certificate } from './certificate.js';
import { failure, showSubject, type Failure } from './failure.js';
import { identifierProblem } from './issuer-identifiers.js';
import { IssuerPool } from './issuer-pool.js';
import { keyWeakness, MAX_SENT_RSA_BITS, operationsOf } from './key-strength.js';
import type { RuleSet } from './rules.js';
import { verifySignature, type SignatureVerdict } from './signature.js';

/** Links tried per search: a real path needs a handful, a mesh of CAs that have signed each other millions. */
const MAX_LINKS = 1_000;

const REISSUE =
  "Was the CA renewed? Issue the certificate anew with the CA's present certificate, or trust the one that it names.";
const PARTIAL =
  'Put the root into the trusted certificates beside the intermediate; a path that ends earlier is trusted by choice only.';

export interface SearchOptions {
  readonly leaf: X509Certificate;
  readonly intermediates: readonly X509Certificate[];
  readonly anchors: readonly X509Certificate[];
  /** Milliseconds; certificates that are valid then are tried first. */
  readonly at: number;
  /** How many CAs, self-issued ones not counted, may stand between leaf and anchor. */
  readonly maxDepth: number;
  /** How many signatures are checked at the most, in operations: one by a large RSA key counts for several. */
  readonly maxSignatures: number;
  /** Whether a path may end at an anchor that isn't self-issued. */
  readonly partialChain: boolean;
  readonly rules: RuleSet;
}

/** Leaf first, the last one so far last. */
type Path = readonly X509Certificate[];

/**
 * Finds the paths from a leaf to an anchor whose signatures hold, the likeliest first (RFC 4158), within a budget.
 * It decides on nothing else; its caller validates the paths.
 */
export class PathSearch {
  readonly #options: SearchOptions;
  readonly #pool: IssuerPool;
  readonly #verdicts = new Map<string, SignatureVerdict>();
  #links = 0;
  #operations = 0;
  #isExhausted = false;
  #untakenAnchor: Failure | undefined;
  #deadEnd: Failure | undefined;
  #deadEndLength = 0;

  constructor(options: SearchOptions) {
    this.#options = options;
    this.#pool = new IssuerPool(options.anchors, options.intermediates, options.at);
  }

  paths(): Generator<Path, void, undefined> {
    return this.#extend([this.#pool.asAnchor(this.#options.leaf)]);
  }

  /** Why no path was found: what stopped the longest attempt. */
  get deadEnd(): Failure {
    const gaveUp = `leads to no trusted CA within ${this.#options.maxSignatures} signature checks and ${MAX_LINKS.toLocaleString('en')} links tried`;
    const general = failure('unknown-issuer', [this.#options.leaf], 0, gaveUp);
    return this.#untakenAnchor ?? (this.#isExhausted ? general : (this.#deadEnd ?? general));
  }

  *#extend(path: Path): Generator<Path, void, undefined> {
    const intermediates = path.slice(1, -1).filter(({ isSelfIssued }) => !isSelfIssued).length;
    if (intermediates > this.#options.maxDepth) {
      this.#stopTooLong(path, intermediates);
      return;
    }
    if (this.#mayEnd(path)) yield path;
    const issuers = this.#pool.issuersFor(path);
    if (issuers.length === 0) this.#stopOrphan(path);
    for (const issuer of issuers) {
      if (this.#isLinked(path, issuer)) yield* this.#extend([...path, issuer]);
      if (this.#isExhausted) return;
    }
  }

  #mayEnd(path: Path): boolean {
    const last = path.at(-1) as X509Certificate;
    if (!this.#pool.isAnchor(last)) return false;
    if (this.#options.partialChain) return true;
    const misnamed = last.isSelfIssued ? identifierProblem(last, last) : undefined;
    if (misnamed === undefined && (last.isSelfIssued || this.#isSelfSigned(last))) return true;
    const problem =
      misnamed === undefined
        ? "is trusted, but isn't self-signed, and a path ends at a root: trust the root above it (or this one by itself, with the option partialChain; knsock certs verify --partial-chain)"
        : `is trusted, but ${misnamed} (authority key identifier)`;
    this.#untakenAnchor ??= failure('unknown-issuer', path, path.length - 1, problem, PARTIAL);
    return false;
  }

  /** Whether the issuer's key, if it is an acceptable one, signed the last certificate. */
  #isLinked(path: Path, issuer: X509Certificate): boolean {
    const misnamed = identifierProblem(path.at(-1) as X509Certificate, issuer);
    if (misnamed !== undefined)
      return this.#stop(path, 'unknown-issuer', `${misnamed} (authority key identifier)`, undefined, REISSUE);
    const weakness = this.#weakness(issuer);
    if (weakness !== undefined) return this.#stop([...path, issuer], 'weak', `has ${weakness}`);
    const verdict = this.#verify(path.at(-1) as X509Certificate, issuer);
    if (!verdict) return false;
    if ('problem' in verdict) return this.#stop(path, 'weak', `is signed with ${verdict.problem}`);
    if (verdict.status === 'good') return true;
    const guess = 'which has the name of its issuer: it was changed, or another CA of that name made it';
    return this.#stop(path, 'unknown-issuer', `isn't signed by the key of ${showSubject(issuer)}, ${guess}`);
  }

  /** Checks a signature once; undefined where the budget is spent. */
  #verify(subject: X509Certificate, issuer: X509Certificate): SignatureVerdict | undefined {
    const key = `${subject.fingerprint256} ${issuer.spkiPin}`;
    const known = this.#verdicts.get(key);
    const operations = known ? 0 : operationsOf(issuer.publicKeyInfo);
    this.#isExhausted =
      this.#links++ >= MAX_LINKS || this.#operations + operations > this.#options.maxSignatures;
    if (this.#isExhausted || known) return this.#isExhausted ? undefined : known;
    this.#operations += operations;
    const verdict = verifySignature(subject, () => issuer.publicKey);
    this.#verdicts.set(key, verdict);
    return verdict;
  }

  /** Checked before a key is used: a malicious key can keep OpenSSL busy. */
  #weakness(certificate: X509Certificate): string | undefined {
    const maxRsaBits = this.#pool.isAnchor(certificate) ? undefined : MAX_SENT_RSA_BITS;
    return keyWeakness(certificate.publicKeyInfo, this.#options.rules, maxRsaBits);
  }

  #isSelfSigned(certificate: X509Certificate): boolean {
    return this.#weakness(certificate) === undefined && certificate.isSelfSigned;
  }

  #stopTooLong(path: Path, intermediates: number): void {
    const problem = `has more CAs above itself (${intermediates}) than are followed (${this.#options.maxDepth})`;
    this.#stop(path, 'path-length', problem, 0);
  }

  #stopOrphan(path: Path): void {
    const last = path.at(-1) as X509Certificate;
    const isSelfSigned = last.isSelfIssued && this.#isSelfSigned(last);
    if (!isSelfSigned)
      this.#stop(
        path,
        'unknown-issuer',
        `was issued by ${last.issuer.toString()}, of which no fitting certificate is trusted or was sent along`,
      );
    else if (path.length === 1)
      this.#stop(path, 'self-signed', 'is self-signed and not among the trusted certificates');
    else
      this.#stop(
        path,
        'unknown-issuer',
        'ends the chain; it is self-signed and not among the trusted certificates',
      );
  }

  /** Remembers why the longest path so far goes no further; by default its last certificate is at fault. */
  #stop(path: Path, reason: PeerReason, problem: string, depth = path.length - 1, hint?: string): false {
    if (path.length > this.#deadEndLength) {
      this.#deadEndLength = path.length;
      this.#deadEnd = failure(reason, path, depth, problem, hint);
    }
    return false;
  }
}
