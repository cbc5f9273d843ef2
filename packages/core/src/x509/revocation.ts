import type { X509Certificate } from './certificate.js';
import type { CertificateRevocationList } from './crl.js';
import { showSubject } from './failure.js';
import { keyWeakness } from './key-strength.js';
import { extensionOid } from './oid.js';
import type { RevokedEntry } from './revoked-entries.js';
import { ruleSets } from './rules.js';
import { verifySignature, type SignatureVerdict } from './signature.js';
import { showTime } from './time.js';

/** What CRLs say of a certificate. */
export type RevocationFinding =
  | { readonly status: 'good'; readonly crl: CertificateRevocationList }
  | { readonly status: 'revoked'; readonly crl: CertificateRevocationList; readonly entry: RevokedEntry }
  /** The list that covers the certificate isn't valid at that time. */
  | { readonly status: 'stale'; readonly crl: CertificateRevocationList; readonly problem: string }
  /** A list claims to cover the certificate and can't be relied on. */
  | { readonly status: 'unusable'; readonly crl: CertificateRevocationList; readonly problem: string }
  /** No list is for certificates like this one. */
  | { readonly status: 'uncovered' };

export interface RevocationOptions {
  /** Milliseconds since 1970. */
  readonly at: number;
  /**
   * Rely on lists without a CRL number, against RFC 5280 5.2.3 (default false). Easy-RSA and cfssl make such lists;
   * what the number is for, telling the newer of two, `thisUpdate` does as well.
   */
  readonly acceptUnnumbered?: boolean;
}

/**
 * Looks a certificate up in CRLs (RFC 5280 6.3). Lists of other issuers, other keys and other scopes are passed over;
 * of one scope the newest counts; a revocation counts even in a list that is stale or incomplete.
 * @param issuer the certificate whose key signed this one, and must have signed the list; without it (a resumed
 *   session shows the leaf alone) only lists count that were found good for some issuer before
 */
export function checkRevocation(
  certificate: X509Certificate,
  issuer: X509Certificate | undefined,
  crls: readonly CertificateRevocationList[],
  options: RevocationOptions,
): RevocationFinding {
  const covering = crls.filter((crl) => crl.issuer.equals(certificate.issuer) && isInScope(crl, certificate));
  const signed: CertificateRevocationList[] = [];
  let unusable: RevocationFinding | undefined;
  for (const crl of covering) {
    if (issuer && isOfAnotherKey(crl, issuer)) continue;
    const problem = signatureProblem(crl, issuer) ?? indirectProblem(crl);
    if (problem === undefined) signed.push(crl);
    else unusable ??= { status: 'unusable', crl, problem };
  }
  return (
    lookUp(certificate, newestOfEachScope(signed, options.at), options) ?? unusable ?? { status: 'uncovered' }
  );
}

/** Checks a CRL's signature and its issuer's right to sign CRLs; the answer is kept with the CRL. */
export function verifyCrlSignature(crl: CertificateRevocationList, issuer: X509Certificate): boolean {
  return signatureProblem(crl, issuer) === undefined;
}

function lookUp(
  certificate: X509Certificate,
  crls: readonly CertificateRevocationList[],
  options: RevocationOptions,
): RevocationFinding | undefined {
  for (const crl of crls) {
    const entry = crl.find(certificate);
    if (entry && entry.reason !== 'removeFromCRL') return { status: 'revoked', crl, entry };
  }
  const findings = crls.map((crl): RevocationFinding => {
    const gap = coverageGap(crl, options);
    if (gap !== undefined) return { status: 'unusable', crl, problem: gap };
    const staleness = timeProblem(crl, options.at);
    return staleness === undefined ? { status: 'good', crl } : { status: 'stale', crl, problem: staleness };
  });
  const pick = (status: string): RevocationFinding | undefined =>
    findings.find((finding) => finding.status === status);
  return pick('good') ?? pick('stale') ?? pick('unusable');
}

/** Scope: kinds of certificates and the place of publication, which the certificate must name too (6.3.3 b). */
function isInScope(
  { issuingDistributionPoint: scope }: CertificateRevocationList,
  certificate: X509Certificate,
): boolean {
  if (!scope) return true;
  const isAuthority = certificate.basicConstraints?.ca === true;
  if (scope.onlyAttributeCertificates || (scope.onlyUserCertificates && isAuthority)) return false;
  if (scope.onlyAuthorities && !isAuthority) return false;
  if (scope.names.length === 0) return true;
  const published = new Set(scope.names.flatMap((name) => (name.kind === 'uri' ? [name.value] : [])));
  const points = certificate.crlDistributionPoints ?? [];
  return points.some(({ names }) => names.some((name) => name.kind === 'uri' && published.has(name.value)));
}

/** A CA that has changed its key has one list per key; the key identifier tells, and the signature confirms it. */
function isOfAnotherKey(crl: CertificateRevocationList, issuer: X509Certificate): boolean {
  const listed = crl.authorityKeyIdentifier?.keyIdentifier;
  const own = issuer.subjectKeyIdentifier;
  const differs = listed !== undefined && own !== undefined && !listed.equals(own);
  return differs && signatureVerdict(crl, issuer).status === 'bad';
}

function newestOfEachScope(
  crls: readonly CertificateRevocationList[],
  at: number,
): CertificateRevocationList[] {
  const newest = new Map<string, CertificateRevocationList[]>();
  for (const crl of crls) {
    const rivals = newest.get(scopeKey(crl)) ?? [];
    if (rivals.some((rival) => isNewer(rival, crl, at))) continue;
    newest.set(scopeKey(crl), [...rivals.filter((rival) => !isNewer(crl, rival, at)), crl]);
  }
  return [...newest.values()].flat();
}

/** Lists of one second are told apart by their numbers; without these both count. */
function isNewer(one: CertificateRevocationList, other: CertificateRevocationList, at: number): boolean {
  const later = rank(one, at) - rank(other, at);
  if (later !== 0 || one.number === undefined || other.number === undefined) return later > 0;
  return numberOf(one.number) > numberOf(other.number);
}

/** A negative number, which is none, counts as the lowest. */
const numberOf = (hex: string): bigint => (hex.startsWith('-') ? -1n : BigInt(`0x${hex}`));

/** Lists that start in the future come before all that have started, so that they lose to these. */
function rank({ thisUpdate }: CertificateRevocationList, at: number): number {
  return thisUpdate.getTime() > at ? -thisUpdate.getTime() - 1e15 : thisUpdate.getTime();
}

function scopeKey({ extensions, issuingDistributionPoint }: CertificateRevocationList): string {
  const kind = extensions.has(extensionOid.deltaCrlIndicator) ? 'delta' : 'full';
  return `${kind}:${issuingDistributionPoint?.der.toString('hex') ?? ''}`;
}

const verdicts = new WeakMap<CertificateRevocationList, Map<string, SignatureVerdict>>();

function signatureVerdict(crl: CertificateRevocationList, issuer: X509Certificate): SignatureVerdict {
  const known = verdicts.get(crl) ?? new Map<string, SignatureVerdict>();
  verdicts.set(crl, known);
  const verdict = known.get(issuer.spkiPin) ?? verifySignature(crl, () => issuer.publicKey);
  known.set(issuer.spkiPin, verdict);
  return verdict;
}

function signatureProblem(
  crl: CertificateRevocationList,
  issuer: X509Certificate | undefined,
): string | undefined {
  if (!issuer) return wasFoundGood(crl) ? undefined : 'has a signature that nobody has checked yet';
  if (!crl.issuer.equals(issuer.subject)) return `is another CA’s than ${showSubject(issuer)}`;
  if (issuer.keyUsage && !issuer.keyUsage.has('cRLSign'))
    return `is signed by ${showSubject(issuer)}, whose key usage doesn’t allow signing CRLs`;
  const weakness = keyWeakness(issuer.publicKeyInfo, ruleSets.private);
  if (weakness !== undefined) return `is signed with ${weakness}`;
  const verdict = signatureVerdict(crl, issuer);
  if ('problem' in verdict) return `is signed with ${verdict.problem}`;
  return verdict.status === 'good' ? undefined : `isn’t signed by the key of ${showSubject(issuer)}`;
}

function wasFoundGood(crl: CertificateRevocationList): boolean {
  return [...(verdicts.get(crl)?.values() ?? [])].some(({ status }) => status === 'good');
}

function indirectProblem({ issuingDistributionPoint }: CertificateRevocationList): string | undefined {
  return issuingDistributionPoint?.indirect ? 'is an indirect list, which isn’t supported' : undefined;
}

/** Why a list can prove that certificates are revoked, but not that the others are good. */
function coverageGap(
  crl: CertificateRevocationList,
  { acceptUnnumbered }: RevocationOptions,
): string | undefined {
  if (crl.extensions.has(extensionOid.deltaCrlIndicator)) return 'is a delta list, which holds changes only';
  if (crl.issuingDistributionPoint?.onlySomeReasons) return 'covers some reasons for revocation only';
  const unknown = [...crl.extensions.values()].find(
    ({ oid, critical }) => critical && oid !== extensionOid.issuingDistributionPoint,
  );
  if (unknown) return `has a critical extension ${unknown.oid}, which isn’t to be critical or isn’t known`;
  if (crl.entries.unknownCritical !== undefined)
    return `has an entry with the unknown critical extension ${crl.entries.unknownCritical}`;
  if (crl.number === undefined && !acceptUnnumbered)
    return 'has no CRL number; reissue it with one (in OpenSSL’s configuration: crlnumber)';
  return undefined;
}

function timeProblem({ thisUpdate, nextUpdate }: CertificateRevocationList, at: number): string | undefined {
  if (at < thisUpdate.getTime()) return `holds from ${showTime(thisUpdate)} only`;
  if (!nextUpdate) return 'doesn’t say until when it holds';
  return at > nextUpdate.getTime() ? `was due for an update at ${showTime(nextUpdate)}` : undefined;
}
