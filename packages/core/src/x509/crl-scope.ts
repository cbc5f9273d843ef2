/** Which certificates a CRL speaks of (RFC 5280 6.3.3 b and d): covering must be proved, in every part. */
import type { X509Certificate } from './certificate.js';
import type { CertificateRevocationList } from './crl.js';
import { fullNames, isNamed, type DistributionPoint } from './distribution-points.js';
import { showList } from './failure.js';
import { isSameName, showGeneralName, type GeneralName } from './general-names.js';
import type { DistinguishedName } from './name.js';
import { ALL_REASONS, type ReasonSet } from './reason-flags.js';

/** What a CRL says of a certificate's kind; `problem` completes "the CRL of …", undefined for a CRL of another CA. */
export type Scope =
  | { readonly covers: true; readonly reasons: ReasonSet }
  | { readonly covers: false; readonly problem: string | undefined };

export function scopeFor(crl: CertificateRevocationList, certificate: X509Certificate): Scope {
  const points = [...(certificate.crlDistributionPoints ?? []), impliedPoint(certificate)];
  const reasons = points.reduce((set, point) => set | reasonsAt(point, crl, certificate), 0);
  if (reasons !== 0) return { covers: true, reasons };
  const isRelated = crl.issuer.equals(certificate.issuer) || points.some((point) => namesIssuer(point, crl));
  return { covers: false, problem: isRelated ? misfit(crl, certificate) : undefined };
}

/** CRLs of the certificate's own issuer count whether or not a point names them (RFC 5280 6.3.3, its end). */
function impliedPoint({ issuer }: X509Certificate): DistributionPoint {
  return {
    names: [{ kind: 'directory', value: issuer }],
    relative: undefined,
    reasons: undefined,
    crlIssuer: undefined,
  };
}

/** The reasons that the CRL covers by way of one distribution point; none where it doesn't belong there. */
function reasonsAt(
  point: DistributionPoint,
  crl: CertificateRevocationList,
  certificate: X509Certificate,
): ReasonSet {
  const { issuingDistributionPoint: scope } = crl;
  const isIssuers =
    point.crlIssuer === undefined
      ? crl.issuer.equals(certificate.issuer)
      : namesIssuer(point, crl) && scope?.indirect === true;
  if (!isIssuers || kindProblem(crl, certificate) !== undefined || !isPublishedAt(point, crl, certificate))
    return 0;
  return (point.reasons ?? ALL_REASONS) & (scope?.onlySomeReasons ?? ALL_REASONS);
}

/** Whether a point says that the CRL's issuer signs its CRL. */
function namesIssuer({ crlIssuer = [] }: DistributionPoint, { issuer }: CertificateRevocationList): boolean {
  return crlIssuer.some((name) => isSameName(name, { kind: 'directory', value: issuer }));
}

/** A CRL that names its place covers the certificates that name that place too. */
function isPublishedAt(
  point: DistributionPoint,
  { issuer, issuingDistributionPoint: scope }: CertificateRevocationList,
  certificate: X509Certificate,
): boolean {
  if (!scope || !isNamed(scope)) return true;
  const places = fullNames(scope, issuer);
  const wanted = isNamed(point)
    ? fullNames(point, directoryName(point.crlIssuer) ?? certificate.issuer)
    : (point.crlIssuer ?? []);
  return places.some((place) => wanted.some((name) => isSameName(place, name)));
}

function directoryName(names: readonly GeneralName[] = []): DistinguishedName | undefined {
  return names.flatMap((name) => (name.kind === 'directory' ? [name.value] : []))[0];
}

function kindProblem(
  { issuingDistributionPoint: scope }: CertificateRevocationList,
  { basicConstraints }: X509Certificate,
): string | undefined {
  if (scope?.onlyAttributeCertificates) return 'is for attribute certificates only';
  if (scope?.onlyUserCertificates && basicConstraints?.ca === true)
    return 'is for certificates of no CAs only';
  return scope?.onlyAuthorities && basicConstraints?.ca !== true
    ? 'is for certificates of CAs only'
    : undefined;
}

function misfit(crl: CertificateRevocationList, certificate: X509Certificate): string {
  const kind = kindProblem(crl, certificate);
  if (kind !== undefined) return kind;
  const { issuer, issuingDistributionPoint: scope } = crl;
  if (!crl.issuer.equals(certificate.issuer) && !scope?.indirect)
    return "isn't an indirect list, which one of another issuer must be";
  const places = scope && isNamed(scope) ? fullNames(scope, issuer).map(showGeneralName) : [];
  return places.length === 0
    ? "covers none of the reasons that the certificate's distribution points ask for"
    : `is for another part of its certificates only (distribution point ${showList(places)})`;
}
