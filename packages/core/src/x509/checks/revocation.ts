import type { X509Certificate } from '../certificate.js';
import { failure, showSubject, type Failure } from '../failure.js';
import type { Judgement } from '../judgement.js';
import { checkRevocation as lookUp, type RevocationFinding } from '../revocation.js';
import { showTime } from '../time.js';

/** Looks every certificate below the anchor up in the CRLs; one that no list covers passes. */
export function checkRevocation({ path, crls, at, acceptUnnumberedCrls }: Judgement): Failure | undefined {
  if (crls.length === 0) return undefined;
  for (let depth = 0; depth < path.length - 1; depth++) {
    const finding = lookUp(path[depth] as X509Certificate, path[depth + 1], crls, {
      at,
      acceptUnnumbered: acceptUnnumberedCrls,
    });
    const found = toFailure(finding, path, depth);
    if (found) return found;
  }
  return undefined;
}

function toFailure(
  finding: RevocationFinding,
  path: readonly X509Certificate[],
  depth: number,
): Failure | undefined {
  switch (finding.status) {
    case 'revoked':
      return failure(
        'revoked',
        path,
        depth,
        `was revoked at ${showTime(finding.entry.date)} (${finding.entry.reason ?? 'no reason given'})`,
      );
    case 'stale':
      return failure('crl-stale', path, depth, `is covered by a CRL that ${finding.problem}`);
    case 'unusable':
      return failure(
        'revocation-unknown',
        path,
        depth,
        `is covered by a CRL of ${showSubject(path[depth + 1] as X509Certificate)} that ${finding.problem}`,
      );
    default:
      return undefined;
  }
}
