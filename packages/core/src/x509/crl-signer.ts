/** Who signed a CRL, and with what right (RFC 5280 6.3.3 f and g). */
import type { X509Certificate } from './certificate.js';
import { checkAuthority } from './checks/authority.js';
import { checkForm } from './checks/form.js';
import { checkStrength } from './checks/strength.js';
import { checkValidity } from './checks/validity.js';
import type { CertificateRevocationList } from './crl.js';
import { showSubject } from './failure.js';
import { keyWeakness } from './key-strength.js';
import { checkNameConstraints } from './name-constraints.js';
import { PathSearch } from './path-search.js';
import { ruleSets } from './rules.js';
import { verifySignature, type SignatureVerdict } from './signature.js';

/** Certificates that may have signed CRLs, and how their own paths are found. */
export interface CrlAuthorities {
  /** Where the path of the certificate in question ends: CRLs must come from under the same anchor. */
  readonly anchor: X509Certificate;
  readonly certificates: readonly X509Certificate[];
  /** Why a certificate of a signer's path can't be relied on as far as revocation goes; undefined where it can. */
  readonly revocationProblem: (certificate: X509Certificate, issuer: X509Certificate) => string | undefined;
}

/** `key`: one that tells signers apart. `problem` completes "the CRL of …". */
export type CrlSigner =
  | { readonly status: 'good'; readonly key: string; readonly isOwn: boolean }
  | { readonly status: 'foreign' | 'unusable'; readonly problem: string };

/** Paths tried per signer, and signatures checked for them. */
const MAX_PATHS = 8;
const MAX_SIGNATURES = 16;
/** Certificates of the CRL issuer's name that are tried. */
const MAX_CANDIDATES = 8;

/**
 * Finds who signed the CRL: the key that signed the certificate, else another key of the same CA or the issuer of an
 * indirect CRL, whose certificate has a path of its own to the same anchor.
 * @param issuer undefined for a resumed session, which shows the leaf alone: then only CRLs count that were found good before
 */
export function findSigner(
  crl: CertificateRevocationList,
  issuer: X509Certificate | undefined,
  authorities: CrlAuthorities | undefined,
  at: number,
): CrlSigner {
  if (!issuer)
    return reliable.has(crl)
      ? { status: 'good', key: '', isOwn: true }
      : { status: 'unusable', problem: "has a signature that hasn't been checked yet" };
  const isOwn = crl.issuer.equals(issuer.subject) && !isOfAnotherKey(crl, issuer);
  if (isOwn && verifyCrlSignature(crl, issuer)) return { status: 'good', key: issuer.spkiPin, isOwn };
  const other = authorities && findOther(crl, issuer, authorities, at);
  if (other?.status === 'good') reliable.add(crl);
  if (other !== undefined) return other;
  return isOwn
    ? { status: 'unusable', problem: signatureProblem(crl, issuer) ?? "can't be relied on" }
    : { status: 'foreign', problem: foreignProblem(crl, issuer) };
}

/** Checks a CRL's signature and its issuer's right to sign CRLs; the answer is kept with the CRL. */
export function verifyCrlSignature(crl: CertificateRevocationList, issuer: X509Certificate): boolean {
  const isGood = signatureProblem(crl, issuer) === undefined;
  if (isGood) reliable.add(crl);
  return isGood;
}

/** A CA that has changed its key has one list per key; the key identifier tells, and the signature confirms it. */
function isOfAnotherKey(crl: CertificateRevocationList, issuer: X509Certificate): boolean {
  const listed = crl.authorityKeyIdentifier?.keyIdentifier;
  const own = issuer.subjectKeyIdentifier;
  const differs = listed !== undefined && own !== undefined && !listed.equals(own);
  return differs && signatureVerdict(crl, issuer).status === 'bad';
}

function foreignProblem({ issuer: name }: CertificateRevocationList, issuer: X509Certificate): string {
  return name.equals(issuer.subject)
    ? `is signed by another key than the one that signed the certificate (${showSubject(issuer)} has renewed its key?), and no certificate with that key is loaded`
    : "is signed by an issuer whose certificate isn't loaded";
}

/** The certificates of the CRL issuer's name whose key signed the CRL; the first that may be relied on. */
function findOther(
  crl: CertificateRevocationList,
  issuer: X509Certificate,
  authorities: CrlAuthorities,
  at: number,
): CrlSigner | undefined {
  const others = authorities.certificates.filter(
    (one) => one.subject.equals(crl.issuer) && !one.publicKeyInfo.der.equals(issuer.publicKeyInfo.der),
  );
  let problem: string | undefined;
  for (const candidate of others.slice(0, MAX_CANDIDATES)) {
    if (keyWeakness(candidate.publicKeyInfo, ruleSets.private) !== undefined) continue;
    if (signatureVerdict(crl, candidate).status !== 'good') continue;
    const found = signatureProblem(crl, candidate) ?? pathProblem(candidate, authorities, at);
    if (found === undefined) return { status: 'good', key: candidate.spkiPin, isOwn: false };
    problem ??= found;
  }
  return problem === undefined ? undefined : { status: 'unusable', problem };
}

/** Why the signer has no path to the anchor; its purposes don't matter, its CAs' rights and dates do. */
function pathProblem(
  candidate: X509Certificate,
  { anchor, certificates, revocationProblem }: CrlAuthorities,
  at: number,
): string | undefined {
  const search = new PathSearch({
    leaf: candidate,
    intermediates: certificates,
    anchors: [anchor],
    at,
    maxDepth: 10,
    maxSignatures: MAX_SIGNATURES,
    partialChain: true,
    rules: ruleSets.private,
  });
  let problem: string | undefined;
  let count = 0;
  for (const path of search.paths()) {
    const found = checkSigner(path, at) ?? revocationOf(path, revocationProblem);
    if (found === undefined) return undefined;
    problem ??= found;
    if (++count >= MAX_PATHS) break;
  }
  const signer = `is signed by ${showSubject(candidate)} (serial ${candidate.serial})`;
  return problem === undefined
    ? `${signer}, which has no path to ${showSubject(anchor)}`
    : `${signer}, which can't be relied on: ${problem}`;
}

function checkSigner(path: readonly X509Certificate[], at: number): string | undefined {
  const validation = { path, at, rules: ruleSets.private };
  const found =
    checkForm(validation) ??
    checkValidity(validation) ??
    checkStrength(validation) ??
    checkAuthority(validation) ??
    checkNameConstraints(path);
  return found?.message;
}

function revocationOf(
  path: readonly X509Certificate[],
  revocationProblem: CrlAuthorities['revocationProblem'],
): string | undefined {
  for (let depth = 0; depth < path.length - 1; depth++) {
    const problem = revocationProblem(path[depth] as X509Certificate, path[depth + 1] as X509Certificate);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** CRLs whose signer had the right to sign them. */
const reliable = new WeakSet<CertificateRevocationList>();
const verdicts = new WeakMap<CertificateRevocationList, Map<string, SignatureVerdict>>();

function signatureVerdict(crl: CertificateRevocationList, issuer: X509Certificate): SignatureVerdict {
  const known = verdicts.get(crl) ?? new Map<string, SignatureVerdict>();
  verdicts.set(crl, known);
  const verdict = known.get(issuer.spkiPin) ?? verifySignature(crl, () => issuer.publicKey);
  known.set(issuer.spkiPin, verdict);
  return verdict;
}

function signatureProblem(crl: CertificateRevocationList, issuer: X509Certificate): string | undefined {
  if (!crl.issuer.equals(issuer.subject)) return `is another CA's than ${showSubject(issuer)}`;
  if (issuer.keyUsage && !issuer.keyUsage.has('cRLSign'))
    return `is signed by ${showSubject(issuer)}, whose key usage doesn't allow signing CRLs`;
  const weakness = keyWeakness(issuer.publicKeyInfo, ruleSets.private);
  if (weakness !== undefined) return `is signed with ${weakness}`;
  const verdict = signatureVerdict(crl, issuer);
  if ('problem' in verdict) return `is signed with ${verdict.problem}`;
  return verdict.status === 'good' ? undefined : `isn't signed by the key of ${showSubject(issuer)}`;
}
