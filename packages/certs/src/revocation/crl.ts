/** Certificate revocation lists (RFC 5280 §5), signed by the authority whose certificates they revoke. */
import { InvalidOptionError } from '@knsock/core/errors';
import { authorityKeyIdentifier, extension } from '../issuing/extensions.js';
import { toPem } from '../files/pem.js';
import { serialBytes } from '../issuing/serial.js';
import { algorithmIdentifier } from '../keys/signature.js';
import type { SigningKey } from '../keys/signer.js';
import { signStructure } from '../issuing/signed-der.js';
import { arrayBufferOf, type DistinguishedName, type X509Library } from '../x509.js';

const reasonNames = {
  unspecified: 'unspecified',
  'key-compromise': 'keyCompromise',
  'ca-compromise': 'cACompromise',
  'affiliation-changed': 'affiliationChanged',
  superseded: 'superseded',
  'cessation-of-operation': 'cessationOfOperation',
  'certificate-hold': 'certificateHold',
  'privilege-withdrawn': 'privilegeWithdrawn',
} as const;

/** Why a certificate was revoked (RFC 5280 §5.3.1). */
export type RevocationReason = keyof typeof reasonNames;

/** Every reason that can be given. */
export const revocationReasons = Object.keys(reasonNames) as RevocationReason[];

/** @throws InvalidOptionError for an unknown reason: in a store's index it would count as damage. */
export function checkReason(reason: RevocationReason): RevocationReason {
  if (Object.hasOwn(reasonNames, reason)) return reason;
  const message = `"${reason}" is no reason; these are: ${revocationReasons.join(', ')}`;
  throw new InvalidOptionError('reason', message);
}

/** Maps a reason that core read from a list; others become unspecified. */
export function reasonFromList(name: string | undefined): RevocationReason {
  return revocationReasons.find((reason) => reasonNames[reason] === name) ?? 'unspecified';
}

/** One revoked certificate. */
export interface Revocation {
  /** Lower-case hex without leading zero bytes, as core's `X509Certificate.serial`. */
  readonly serial: string;
  /** When the certificate was revoked, or put on hold first. */
  readonly at: Date;
  /** Why, as RFC 5280 5.3.1 names it. */
  readonly reason: RevocationReason;
}

/** What stands in the records after a revocation, and whether it was that one which changed them. */
export interface RevocationRecord extends Revocation {
  /** Whether this revocation changed the records; false where an earlier one stays. */
  readonly changed: boolean;
}

/**
 * The revocation that counts, of the one recorded before and a later one. A hold ends in a revocation for good, dated as the hold
 * was (X.509 8.5.2.2); anything else stays as it was recorded first.
 */
export function laterRevocation(known: Revocation | undefined, later: Revocation): RevocationRecord {
  if (known === undefined) return { ...later, changed: true };
  const isFinal = known.reason === 'certificate-hold' && later.reason !== 'certificate-hold';
  return isFinal ? { ...later, at: known.at, changed: true } : { ...known, changed: false };
}

/** A signed list; `pem` has the label that Node and OpenSSL read. */
export interface Crl {
  /** As PEM. */
  readonly pem: string;
  /** The same as DER. */
  readonly der: Buffer;
  /** Increases with every list of one authority. */
  readonly number: number;
  /** When it was signed. */
  readonly thisUpdate: Date;
  /** When the next list is due: from then on this one is stale. */
  readonly nextUpdate: Date;
}

/** Everything that goes into a list. */
export interface CrlParts {
  readonly issuer: DistinguishedName;
  readonly issuerKeyIdentifier: Buffer;
  readonly number: number;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
  readonly revoked: readonly Revocation[];
}

/** Signs a version 2 list. */
export async function signCrl(
  library: X509Library,
  parts: CrlParts,
  key: SigningKey,
  signal?: AbortSignal,
): Promise<Crl> {
  const { TBSCertList, Time, Version, CRLNumber } = library;
  const algorithm = algorithmIdentifier(library, key.algorithm);
  const tbsCertList = new TBSCertList({
    version: Version.v2,
    signature: algorithm,
    issuer: parts.issuer,
    thisUpdate: new Time(parts.thisUpdate),
    nextUpdate: new Time(parts.nextUpdate),
    crlExtensions: [
      authorityKeyIdentifier(library, parts.issuerKeyIdentifier),
      extension(library, library.id_ce_cRLNumber, false, new CRLNumber(parts.number)),
    ],
  });
  // An empty list must be absent, not empty (RFC 5280 §5.1.2.6).
  if (parts.revoked.length > 0)
    tbsCertList.revokedCertificates = parts.revoked.map((one) => entry(library, one));
  const der = await signStructure(library, tbsCertList, key, signal);
  const { number, thisUpdate, nextUpdate } = parts;
  return { pem: toPem('X509 CRL', der), der, number, thisUpdate, nextUpdate };
}

function entry(library: X509Library, revocation: Revocation) {
  const { RevokedCertificate, Time, CRLReason } = library;
  const revoked = new RevokedCertificate({
    userCertificate: arrayBufferOf(serialBytes(revocation.serial)),
    revocationDate: new Time(revocation.at),
  });
  // "unspecified" must be expressed by omitting the reason (RFC 5280 §5.3.1).
  if (revocation.reason === 'unspecified') return revoked;
  const reason = new CRLReason(library.CRLReasons[reasonNames[revocation.reason]]);
  revoked.crlEntryExtensions = [extension(library, library.id_ce_cRLReasons, false, reason)];
  return revoked;
}
