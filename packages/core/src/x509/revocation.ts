import type { X509Certificate } from './certificate.js';
import type { CertificateRevocationList } from './crl.js';
import { scopeFor } from './crl-scope.js';
import { findSigner, type CrlAuthorities } from './crl-signer.js';
import { showSubject } from './failure.js';
import { extensionOid } from './oid.js';
import { ALL_REASONS, showReasons, type ReasonSet } from './reason-flags.js';
import type { RevokedEntry } from './revoked-entries.js';
import { showTime } from './time.js';

/** What CRLs say of a certificate. */
export type RevocationFinding =
  | { readonly status: 'good'; readonly crl: CertificateRevocationList }
  | { readonly status: 'revoked'; readonly crl: CertificateRevocationList; readonly entry: RevokedEntry }
  /** The list that covers the certificate isn't valid at that time. */
  | { readonly status: 'stale'; readonly crl: CertificateRevocationList; readonly problem: string }
  /** A list claims to cover the certificate and can't be relied on. */
  | { readonly status: 'unusable'; readonly crl: CertificateRevocationList; readonly problem: string }
  /** No list is for certificates like this one; `problem` says of a list that comes close why it isn't. */
  | { readonly status: 'uncovered'; readonly problem?: string | undefined };

/** What one certificate is looked up by. */
export interface RevocationOptions {
  /** Milliseconds since 1970. */
  readonly at: number;
  /**
   * Rely on lists without a CRL number, against RFC 5280 5.2.3 (default true). Easy-RSA, cfssl and `openssl ca -gencrl`
   * make such lists; what the number is for, telling the newer of two, `thisUpdate` does as well.
   */
  readonly acceptUnnumbered?: boolean;
  /** Rely on a complete list only with a current delta list, where it or the certificate names one (default false). */
  readonly requireDeltas?: boolean;
  /** Where the certificate's path ends; needed for lists that another key than the issuer's has signed. */
  readonly anchor?: X509Certificate | undefined;
  /** Certificates that may have signed such lists: a CA's other keys, issuers of indirect lists, and those above them. */
  readonly issuers?: readonly X509Certificate[] | undefined;
}

/**
 * Looks a certificate up in CRLs (RFC 5280 6.3). A list counts as far as it provably covers the certificate: its issuer,
 * its place of publication, its kind of certificates, its reasons. Of one scope the newest counts, with the changes that
 * a delta list holds; a revocation counts even in a list that is stale or incomplete.
 * @param issuer the certificate whose key signed this one; without it (a resumed session shows the leaf alone) only
 *   lists count that were found good for some issuer before
 */
export function checkRevocation(
  certificate: X509Certificate,
  issuer: X509Certificate | undefined,
  crls: readonly CertificateRevocationList[],
  options: RevocationOptions,
): RevocationFinding {
  const authorities = issuer && authoritiesOf(crls, options);
  const usable: CoveringList[] = [];
  let unusable: RevocationFinding | undefined;
  let nearMiss: string | undefined;
  for (const crl of crls) {
    const scope = scopeFor(crl, certificate);
    if (!scope.covers) {
      nearMiss ??= scope.problem && `the CRL of ${crl.issuer.toString()} ${scope.problem}`;
      continue;
    }
    const signer = findSigner(crl, issuer, authorities, options.at);
    if (signer.status === 'good') usable.push({ crl, reasons: scope.reasons, ...signer });
    else if (signer.status === 'unusable') unusable ??= { status: 'unusable', crl, problem: signer.problem };
    else nearMiss ??= `the CRL of ${crl.issuer.toString()} ${signer.problem}`;
  }
  return lookUp(certificate, usable, options) ?? unusable ?? { status: 'uncovered', problem: nearMiss };
}

/** A list whose signer is known, and the reasons that it covers for the certificate in question. */
interface CoveringList {
  readonly crl: CertificateRevocationList;
  readonly reasons: ReasonSet;
  readonly key: string;
  /** Whether the key that signed the certificate signed the list too. */
  readonly isOwn: boolean;
}

/** Signers are looked up by lists of their own issuers only, so that this ends. */
function authoritiesOf(
  crls: readonly CertificateRevocationList[],
  { anchor, issuers, ...options }: RevocationOptions,
): CrlAuthorities | undefined {
  if (!anchor) return undefined;
  const revocationProblem = (certificate: X509Certificate, issuer: X509Certificate): string | undefined => {
    const finding = checkRevocation(certificate, issuer, crls, options);
    if (finding.status === 'revoked') return `${showSubject(certificate)} is revoked`;
    // A CA's new key is covered by the very list that it signs, if by any.
    return finding.status === 'stale'
      ? `the CRL for ${showSubject(certificate)} ${finding.problem}`
      : undefined;
  };
  return { anchor, certificates: issuers ?? [], revocationProblem };
}

function lookUp(
  certificate: X509Certificate,
  lists: readonly CoveringList[],
  options: RevocationOptions,
): RevocationFinding | undefined {
  const complete = newestOfEachScope(
    lists.filter(({ crl }) => crl.deltaBase === undefined),
    options.at,
  );
  const deltas = lists.filter(({ crl }) => crl.deltaBase !== undefined);
  const combined = complete.map((list) => ({
    ...list,
    delta: newestDelta(list, deltas, options.at),
    lacksDelta: lacksDelta(certificate, list, deltas, options),
  }));
  for (const { crl, delta } of combined) {
    const entry = entryOf(certificate, crl, delta);
    if (entry) return { status: 'revoked', crl, entry };
  }
  for (const { crl } of deltas) {
    const entry = crl.find(certificate);
    const isUsed = combined.some(({ delta }) => delta === crl);
    if (!isUsed && entry && entry.reason !== 'removeFromCRL') return { status: 'revoked', crl, entry };
  }
  return coverage(combined, options) ?? loneDelta(deltas);
}

interface CombinedList extends CoveringList {
  readonly delta: CertificateRevocationList | undefined;
  /** Whether a delta list is required besides, and none is there. */
  readonly lacksDelta: boolean;
}

/** The lists that the certificate's own issuer signed decide where there are any; another key's may only revoke then. */
function coverage(lists: readonly CombinedList[], options: RevocationOptions): RevocationFinding | undefined {
  const own = lists.filter(({ isOwn }) => isOwn);
  const deciding = own.length > 0 ? own : lists;
  const findings = deciding.map((list) => ({ ...list, finding: findingOf(list, options) }));
  const good = findings.filter(({ finding }) => finding.status === 'good');
  const covered = good.reduce((set, { reasons }) => set | reasons, 0);
  if (good[0] && covered === ALL_REASONS) return good[0].finding;
  const stale = findings.find(({ finding }) => finding.status === 'stale');
  const first = (stale ?? findings.find(({ finding }) => finding.status === 'unusable'))?.finding;
  if (first) return first;
  if (!good[0]) return undefined;
  const missing = showReasons(ALL_REASONS & ~covered);
  const problem = `covers some reasons for revocation only; not covered: ${missing}`;
  return { status: 'unusable', crl: good[0].crl, problem };
}

function findingOf({ crl, delta, lacksDelta }: CombinedList, options: RevocationOptions): RevocationFinding {
  const gap = coverageGap(crl, options) ?? (delta && coverageGap(delta, options));
  if (gap !== undefined) return { status: 'unusable', crl, problem: gap };
  const staleness = timeProblem(crl, options.at);
  const isRefreshed = delta !== undefined && timeProblem(delta, options.at) === undefined;
  if (staleness !== undefined && !isRefreshed) return { status: 'stale', crl, problem: staleness };
  return lacksDelta ? { status: 'unusable', crl, problem: NO_DELTA } : { status: 'good', crl };
}

const NO_DELTA =
  "isn't up to date without the delta list that it or the certificate names (freshestCRL), and no current one is loaded";

function loneDelta(deltas: readonly CoveringList[]): RevocationFinding | undefined {
  const [first] = deltas;
  const problem =
    "is a delta list, which holds changes only, and the complete list that it belongs to isn't loaded";
  return first && { status: 'unusable', crl: first.crl, problem };
}

/** The delta list that brings a complete one up to date (RFC 5280 5.2.4 and 6.3.3 c). */
function newestDelta(
  list: CoveringList,
  deltas: readonly CoveringList[],
  at: number,
): CertificateRevocationList | undefined {
  const fitting = deltas.filter((delta) => isApplicable(delta, list) && isAfter(delta.crl, list.crl));
  return newestOfEachScope(fitting, at)[0]?.crl;
}

/** RFC 5280 6.3.3 (a) and (c) with use-deltas. A complete list that is no older than a current delta list needs none. */
function lacksDelta(
  { extensions }: X509Certificate,
  list: CoveringList,
  deltas: readonly CoveringList[],
  { at, requireDeltas = false }: RevocationOptions,
): boolean {
  const isNamed = [extensions, list.crl.extensions].some((each) => each.has(extensionOid.freshestCrl));
  if (!requireDeltas || !isNamed) return false;
  return !deltas.some((delta) => isApplicable(delta, list) && timeProblem(delta.crl, at) === undefined);
}

/** Whether a delta list is of the complete list's key, issuer and scope, and its changes begin with it or before. */
function isApplicable(delta: CoveringList, { crl, key }: CoveringList): boolean {
  return (
    delta.key === key &&
    delta.crl.issuer.equals(crl.issuer) &&
    placeKey(delta.crl) === placeKey(crl) &&
    crl.number !== undefined &&
    delta.crl.number !== undefined &&
    numberOf(delta.crl.deltaBase ?? '') <= numberOf(crl.number)
  );
}

const isAfter = (one: CertificateRevocationList, other: CertificateRevocationList): boolean =>
  numberOf(one.number ?? '') > numberOf(other.number ?? '');

/** A delta lifts a hold and nothing else: what was revoked for good stays so, whatever it says. */
function entryOf(
  certificate: X509Certificate,
  crl: CertificateRevocationList,
  delta: CertificateRevocationList | undefined,
): RevokedEntry | undefined {
  const [entry, change] = [crl.find(certificate), delta?.find(certificate)];
  if (change && change.reason !== 'removeFromCRL') return change;
  if (change && entry?.reason === 'certificateHold') return undefined;
  return entry?.reason === 'removeFromCRL' ? undefined : entry;
}

function newestOfEachScope(lists: readonly CoveringList[], at: number): CoveringList[] {
  const newest = new Map<string, CoveringList[]>();
  for (const list of lists) {
    const key = `${list.key}\n${list.crl.issuer.key}\n${placeKey(list.crl)}`;
    const rivals = newest.get(key) ?? [];
    if (rivals.some((rival) => isNewer(rival.crl, list.crl, at))) continue;
    newest.set(key, [...rivals.filter((rival) => !isNewer(list.crl, rival.crl, at)), list]);
  }
  return [...newest.values()].flat();
}

/** Lists of one second are distinguished by their numbers; without these both count. */
function isNewer(one: CertificateRevocationList, other: CertificateRevocationList, at: number): boolean {
  const later = rank(one, at) - rank(other, at);
  if (later !== 0 || one.number === undefined || other.number === undefined) return later > 0;
  return numberOf(one.number) > numberOf(other.number);
}

/** A negative number, which is none, counts as the lowest. */
const numberOf = (hex: string): bigint => (hex === '' || hex.startsWith('-') ? -1n : BigInt(`0x${hex}`));

/** Lists that start in the future come before all that have started, so that they lose to these. */
function rank({ thisUpdate }: CertificateRevocationList, at: number): number {
  return thisUpdate.getTime() > at ? -thisUpdate.getTime() - 1e15 : thisUpdate.getTime();
}

const placeKey = ({ issuingDistributionPoint: scope }: CertificateRevocationList): string =>
  scope?.der.toString('hex') ?? '';

/** Extensions of a list that are understood here, so that they may be critical. */
const understood: ReadonlySet<string> = new Set([
  extensionOid.issuingDistributionPoint,
  extensionOid.deltaCrlIndicator,
]);

/** Why a list can prove that certificates are revoked, but not that the others are good. */
function coverageGap(
  crl: CertificateRevocationList,
  { acceptUnnumbered = true }: RevocationOptions,
): string | undefined {
  const unknown = [...crl.extensions.values()].find(({ oid, critical }) => critical && !understood.has(oid));
  if (unknown) return `has a critical extension ${unknown.oid}, which isn't to be critical or isn't known`;
  if (crl.entries.unknownCritical !== undefined)
    return `has an entry with the unknown critical extension ${crl.entries.unknownCritical}`;
  if (crl.entries.namesIssuers && crl.issuingDistributionPoint?.indirect !== true)
    return 'names other issuers in its entries without being an indirect list';
  if (crl.number === undefined && !acceptUnnumbered)
    return "has no CRL number; reissue it with one (in OpenSSL's configuration: crlnumber)";
  return undefined;
}

function timeProblem({ thisUpdate, nextUpdate }: CertificateRevocationList, at: number): string | undefined {
  if (at < thisUpdate.getTime()) return `holds from ${showTime(thisUpdate)} only`;
  if (!nextUpdate) return "doesn't say until when it holds";
  return at > nextUpdate.getTime() ? `was due for an update at ${showTime(nextUpdate)}` : undefined;
}
