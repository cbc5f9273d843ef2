import { failure, type Failure } from '../failure.js';
import type { PathValidation } from '../path-validation.js';
import type { RevocationFinding } from '../revocation.js';
import { checkPathRevocation } from '../path-revocation.js';
import { showTime } from '../time.js';

/** Looks the path up in the CRLs, if there are any. */
export function checkRevocation(validation: PathValidation): Failure | undefined {
  const { path, crls, at, revocation: policy, crlIssuers: issuers } = validation;
  if (crls.length === 0) return undefined;
  const found = checkPathRevocation({ path, crls, at, policy, issuers });
  return found.status === 'good' ? undefined : revocationFailure(found.finding, path, found.depth);
}

/** A finding that refuses, in words. */
export function revocationFailure(
  finding: Exclude<RevocationFinding, { status: 'good' }>,
  path: PathValidation['path'],
  depth: number,
): Failure {
  switch (finding.status) {
    case 'revoked': {
      const { date, reason = 'no reason given' } = finding.entry;
      return failure('revoked', path, depth, `was revoked at ${showTime(date)} (${reason})`);
    }
    case 'stale':
      return failure('crl-stale', path, depth, `is covered by a CRL that ${finding.problem}`);
    case 'unusable': {
      const problem = `is covered by a CRL of ${finding.crl.issuer.toString()} that ${finding.problem}`;
      return failure('revocation-unknown', path, depth, problem);
    }
    case 'uncovered':
      return failure('revocation-unknown', path, depth, uncovered(finding.problem));
  }
}

const uncovered = (problem: string | undefined): string =>
  problem === undefined ? 'is covered by no loaded CRL' : `is covered by no loaded CRL: ${problem}`;
