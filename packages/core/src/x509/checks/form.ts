import type { X509Certificate } from '../certificate.js';
import { failure, type Failure } from '../failure.js';
import type { PathValidation } from '../path-validation.js';
import { extensionOid as oid } from '../oid.js';

/** Extensions whose meaning is enforced here, so that they may be critical (RFC 5280 6.1.4 o). */
const understood: ReadonlySet<string> = new Set([
  oid.keyUsage,
  oid.extendedKeyUsage,
  oid.basicConstraints,
  oid.nameConstraints,
  oid.subjectAltName,
  oid.certificatePolicies,
  oid.policyMappings,
  oid.policyConstraints,
  oid.inhibitAnyPolicy,
  oid.crlDistributionPoints,
  oid.netscapeCertType,
]);

/** Refuses unknown critical extensions and certificates that contradict themselves. */
export function checkForm({ path }: Pick<PathValidation, 'path'>): Failure | undefined {
  for (const [depth, certificate] of path.entries()) {
    const problem = criticalProblem(certificate) ?? contradiction(certificate, depth);
    if (problem !== undefined) return failure('malformed', path, depth, problem);
  }
  return undefined;
}

function criticalProblem({ extensions }: X509Certificate): string | undefined {
  for (const extension of extensions.values()) {
    if (extension.critical && !understood.has(extension.oid))
      return `has the critical extension ${extension.oid}, which isn't known or mustn't be critical`;
  }
  return undefined;
}

function contradiction(certificate: X509Certificate, depth: number): string | undefined {
  if (certificate.issuer.isEmpty) return 'names no issuer';
  if (depth > 0 && certificate.subject.isEmpty) return 'is a CA without a name';
  if (certificate.basicConstraints?.ca === true) return undefined;
  if (certificate.keyUsage?.has('keyCertSign'))
    return "may sign certificates by its key usage, but isn't a CA";
  return certificate.nameConstraints ? "has name constraints, but isn't a CA" : undefined;
}
