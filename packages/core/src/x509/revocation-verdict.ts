import type { PathRevocation } from './path-revocation.js';

/** What lists say, as a source of revocation says it; `position` 1 is the peer's own certificate. */
export interface ListVerdict {
  readonly status: 'good' | 'revoked' | 'unknown';
  readonly position: number;
  /** Such as `keyCompromise`, `crl-stale`, or why nothing is known. */
  readonly reason?: string | undefined;
  /** How long the answer is valid. */
  readonly until?: Date | undefined;
}

/** What `checkPathRevocation` found, as a revocation source says it. */
export function toRevocationVerdict(found: PathRevocation): ListVerdict {
  if (found.status === 'good') return { status: 'good', position: 1, until: found.until };
  const { finding } = found;
  const position = found.depth + 1;
  switch (finding.status) {
    case 'revoked':
      return { status: 'revoked', position, reason: finding.entry.reason };
    case 'stale':
      return { status: 'unknown', position, reason: 'crl-stale' };
    case 'unusable':
      return { status: 'unknown', position, reason: `the CRL that covers it ${finding.problem}` };
    case 'uncovered':
      return {
        status: 'unknown',
        position,
        reason: finding.problem && `no loaded CRL covers it: ${finding.problem}`,
      };
  }
}
