import type { PathRevocation } from './path-revocation.js';

/** What lists say, as a source of revocation says it; `depth` 0 is the peer's own certificate. */
export interface ListVerdict {
  readonly status: 'good' | 'revoked' | 'unknown';
  readonly depth: number;
  /** Such as `keyCompromise`, `crl-stale`, or why nothing is known. */
  readonly reason?: string | undefined;
  /** How long the answer is valid. */
  readonly until?: Date | undefined;
}

/** What `checkPathRevocation` found, as a revocation source says it. */
export function toRevocationVerdict(found: PathRevocation): ListVerdict {
  if (found.status === 'good') return { status: 'good', depth: 0, until: found.until };
  const { depth, finding } = found;
  switch (finding.status) {
    case 'revoked':
      return { status: 'revoked', depth, reason: finding.entry.reason };
    case 'stale':
      return { status: 'unknown', depth, reason: 'crl-stale' };
    case 'unusable':
      return { status: 'unknown', depth, reason: `the CRL that covers it ${finding.problem}` };
    case 'uncovered':
      return {
        status: 'unknown',
        depth,
        reason: finding.problem && `no loaded CRL covers it: ${finding.problem}`,
      };
  }
}
