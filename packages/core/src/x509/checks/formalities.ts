import type { X509Certificate } from '../certificate.js';
import { failure, type Failure } from '../failure.js';
import { isDnsName } from '../host-name.js';
import type { PathValidation } from '../path-validation.js';
import { extensionOid as oid, purposeOid } from '../oid.js';

type Check = (certificate: X509Certificate, place: Place) => string | undefined;
interface Place {
  readonly isLeaf: boolean;
  readonly isAnchor: boolean;
  readonly usage: 'server' | 'client';
}

/** What public CAs must keep to and private ones need not: nothing here decides who is trusted for what. */
const formalities: readonly Check[] = [
  ({ version }) => (version === 3 ? undefined : `is of version ${version} instead of 3`),
  serialNumber,
  authorityKeyIdentifier,
  rootKeyIdentifier,
  subjectKeyIdentifier,
  basicConstraints,
  policyConstraints,
  leafKind,
  extendedKeyUsage,
  subjectAltName,
  commonName,
];

/** Checks the formalities of RFC 5280's profile and the CA/Browser Forum's baseline requirements, where the rules demand them. */
export function checkFormalities({ path, rules, usage }: PathValidation): Failure | undefined {
  if (!rules.formalities) return undefined;
  for (const [depth, certificate] of path.entries()) {
    const place = { isLeaf: depth === 0, isAnchor: depth === path.length - 1, usage };
    for (const check of formalities) {
      const problem = check(certificate, place);
      if (problem !== undefined) return failure('malformed', path, depth, problem);
    }
  }
  return undefined;
}

/** Roots are exempt: some in every browser have the number 0. */
function serialNumber({ serialBytes, serial }: X509Certificate, { isAnchor }: Place): string | undefined {
  if (isAnchor) return undefined;
  if (serialBytes.length > 20) return `has a serial number of ${serialBytes.length} bytes; 20 are the most`;
  return serial === '00' || serial.startsWith('-')
    ? `has the serial number ${serial}, which isn't positive`
    : undefined;
}

/** Every certificate says which key signed it, except one that its own key signed (RFC 5280 4.2.1.1). */
function authorityKeyIdentifier(certificate: X509Certificate, { isAnchor }: Place): string | undefined {
  if (isAnchor && certificate.isSelfSigned) return undefined;
  return certificate.authorityKeyIdentifier?.keyIdentifier
    ? undefined
    : "doesn't say which key signed it (authority key identifier)";
}

/** Baseline requirements 7.1.2.1.3. */
function rootKeyIdentifier(certificate: X509Certificate, { isAnchor }: Place): string | undefined {
  const { authorityKeyIdentifier: key, subjectKeyIdentifier: own } = certificate;
  if (!isAnchor || !certificate.isSelfIssued || !key) return undefined;
  const isOwn = key.keyIdentifier !== undefined && own?.equals(key.keyIdentifier) === true;
  return isOwn && !key.issuer && !key.serial
    ? undefined
    : "is a root whose authority key identifier isn't just its own key";
}

function subjectKeyIdentifier(certificate: X509Certificate): string | undefined {
  const isAuthority = certificate.basicConstraints?.ca === true;
  return isAuthority && !certificate.subjectKeyIdentifier
    ? 'is a CA without a subject key identifier'
    : undefined;
}

function basicConstraints(certificate: X509Certificate): string | undefined {
  const { basicConstraints: constraints, extensions } = certificate;
  if (constraints?.ca && !extensions.get(oid.basicConstraints)?.critical)
    return "is a CA whose basic constraints aren't critical";
  return constraints && !constraints.ca && constraints.pathLength !== undefined
    ? "has a path length, but isn't a CA"
    : undefined;
}

/** They are processed either way (RFC 5280 6.1.4 i); a CA must mark them critical (4.2.1.11). */
function policyConstraints({ extensions }: X509Certificate): string | undefined {
  return extensions.get(oid.policyConstraints)?.critical === false
    ? "has policy constraints that aren't critical"
    : undefined;
}

function leafKind({ basicConstraints: constraints }: X509Certificate, { isLeaf }: Place): string | undefined {
  return isLeaf && constraints?.ca ? "is a CA, which can't be a server or client" : undefined;
}

/** Baseline requirements 7.1.2.7.10 for leaves, 7.1.2.1.2 for roots. */
function extendedKeyUsage(
  { extensions, extendedKeyUsage: purposes }: X509Certificate,
  { isLeaf, isAnchor }: Place,
): string | undefined {
  const extension = extensions.get(oid.extendedKeyUsage);
  if (isLeaf && !purposes) return 'names no purpose (extended key usage)';
  if (isLeaf && extension?.critical) return 'has a critical extended key usage';
  if (isLeaf && purposes?.includes(purposeOid.any)) return 'is for any purpose (extended key usage)';
  return isAnchor && !isLeaf && extension ? 'is a root with an extended key usage' : undefined;
}

/** Critical exactly where there is no subject; DNS names in the preferred syntax (RFC 5280 4.2.1.6). */
function subjectAltName(certificate: X509Certificate, { isLeaf }: Place): string | undefined {
  if (!isLeaf || !certificate.subjectAltNames) return undefined;
  const isCritical = certificate.extensions.get(oid.subjectAltName)?.critical === true;
  if (isCritical !== certificate.subject.isEmpty) {
    return `has a subjectAltName that is ${isCritical ? '' : 'not '}critical, and ${isCritical ? 'a' : 'no'} subject`;
  }
  const odd = certificate.dnsNames.find((name) => !isDnsName(name, { wildcard: true }));
  return odd === undefined ? undefined : `carries ${JSON.stringify(odd)}, which is no DNS name`;
}

/**
 * Baseline requirements 7.1.4.3: a server's common name repeats an alternative name to the letter. Where the certificate
 * has no DNS names at all, only common names that pass for an IP address are held to it.
 */
function commonName(certificate: X509Certificate, { isLeaf, usage }: Place): string | undefined {
  if (!isLeaf || usage !== 'server') return undefined;
  const { dnsNames, ipAddresses } = certificate;
  const judged = certificate.subject.commonNames.filter((name) => dnsNames.length > 0 || passesForIp(name));
  const odd = judged.find((name) => !dnsNames.includes(name) && !ipAddresses.includes(name));
  return odd === undefined
    ? undefined
    : `has the common name ${JSON.stringify(odd)}, which isn't one of its alternative names`;
}

/** Whether a URL parser would read an address: a colon, or a number for the last label. */
const passesForIp = (name: string): boolean =>
  name.includes(':') || /(^|\.)(\d+|0x[0-9a-f]*)\.?$/i.test(name);
