/**
 * What is wrong with a certificate, whatever its chain, and how severe that is. `knsock check` and the linting of
 * @knsock/certs take both from here, so that they say the same of one file; of chains they do from `own-chain.ts`.
 */
import type { X509Certificate } from './certificate.js';
import { checkForm } from './checks/form.js';
import { usageOf, usageProblem } from './checks/usage.js';
import type { NetscapeUse } from './netscape-cert-type.js';
import { signatureWeakness } from './issuance.js';
import { purposeOid } from './oid.js';
import { schemeProblem } from './signature.js';
import { unmatchableNames, type UnmatchableName } from './unmatchable-names.js';

/** `error`: refused by peers or unsafe; `warning`: soon, or by some; `notice`: worth knowing. */
export type Severity = 'error' | 'warning' | 'notice';

/** What is wrong with a certificate. */
export interface Fault {
  /** How grave it is. */
  readonly severity: Severity;
  /** As the end of a sentence ("certificate x …"). */
  readonly problem: string;
}

const DAY = 86_400_000;
/** Browsers and Apple accept no longer validity of servers' certificates. */
export const LEAF_MAX_DAYS = 398;

/** Why its signature isn't relied on. An algorithm that is unknown here may be known elsewhere: a warning. */
export function signatureFault(certificate: X509Certificate): Fault | undefined {
  const problem = signatureWeakness(certificate);
  if (problem === undefined) return undefined;
  const severity = schemeProblem(certificate)?.status === 'weak' ? 'error' : 'warning';
  return { severity, problem: `is signed with ${problem}` };
}

/** Names that nobody can match, or none at all (then `unmatchable` is empty). */
export interface NamesFault {
  /** How grave it is. */
  readonly severity: Severity;
  /** The names that no client can match; empty where there is no name at all. */
  readonly unmatchable: readonly UnmatchableName[];
}

/** What is wrong with the names of a server's or client's certificate. A client needs none. */
export function namesFault(certificate: X509Certificate): NamesFault | undefined {
  const { length } = certificate.subjectAltNames ?? [];
  if (length === 0)
    return usageOf(certificate) === 'server' ? { severity: 'error', unmatchable: [] } : undefined;
  const unmatchable = unmatchableNames(certificate);
  if (unmatchable.length === 0) return undefined;
  return { severity: unmatchable.length === length ? 'error' : 'warning', unmatchable };
}

/** OpenSSL refuses a use that the type leaves out. It is for clients alone, or for servers alone, where nothing else says. */
export function netscapeFault(certificate: X509Certificate): Fault | undefined {
  const { extendedKeyUsage, netscapeCertType: type } = certificate;
  if (type === undefined) return undefined;
  const left = (['server', 'client'] as const).filter(
    (use) => !type.has(`SSL ${use}`) && (extendedKeyUsage?.includes(purposeOid[use]) ?? true),
  );
  if (left.length === 0 || (extendedKeyUsage === undefined && left.length === 1)) return undefined;
  const shown: readonly NetscapeUse[] = [...type];
  const problem = `has a Netscape certificate type (${shown.join(', ') || 'nothing'}) that doesn't allow TLS ${left.join('s and ')}s`;
  return {
    severity: usageProblem(certificate, usageOf(certificate)) === undefined ? 'warning' : 'error',
    problem,
  };
}

/** The days of a leaf's validity where they are over the limit; both ends belong to it (RFC 5280 4.1.2.5). */
export function excessiveDays({ notBefore, notAfter }: X509Certificate): number | undefined {
  const days = Math.ceil((notAfter.getTime() + 1_000 - notBefore.getTime()) / DAY);
  return days > LEAF_MAX_DAYS ? days : undefined;
}

/** Why a CA's certificate can't be one, whatever it signed, as a sentence. */
export function authorityFault(certificate: X509Certificate): string | undefined {
  return formFault(certificate) ?? signingFault(certificate);
}

/** Contradictions, and critical extensions that nobody knows, as a sentence. */
export function formFault(certificate: X509Certificate): string | undefined {
  return checkForm({ path: [certificate] })?.message;
}

/** Why a CA may not sign certificates, as a sentence. */
export function signingFault({ keyUsage }: X509Certificate): string | undefined {
  return keyUsage === undefined || keyUsage.has('keyCertSign')
    ? undefined
    : "its key usage doesn't allow signing certificates";
}
