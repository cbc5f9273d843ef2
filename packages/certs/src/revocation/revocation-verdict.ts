/** What revocation lists say of a path: pure. */
import type { RevocationVerdict } from '@knsock/core';
import {
  checkRevocation,
  type CertificateRevocationList,
  type RevocationFinding,
  type X509Certificate,
} from '@knsock/core/x509';

/** How much is looked up, and what gaps mean. */
export interface RevocationRules {
  readonly depth: 'leaf' | 'chain';
  readonly unknown: 'refuse' | 'accept';
  readonly stale: 'refuse' | 'accept';
}

/**
 * Judges a path, leaf first and anchor last. On resumption the leaf stands alone: then only lists count whose
 * signature was found good before.
 */
export function judgeRevocation(
  path: readonly X509Certificate[],
  crls: readonly CertificateRevocationList[],
  at: Date,
  rules: RevocationRules,
): RevocationVerdict {
  let until: Date | undefined;
  for (const [depth, certificate] of lookedUp(path, rules.depth).entries()) {
    // Many private authorities write no CRL number; what it is for, thisUpdate tells as well.
    const options = { at: at.getTime(), acceptUnnumbered: true };
    const finding = checkRevocation(certificate, path[depth + 1], crls, options);
    const refused = refusal(finding, depth, rules);
    if (refused !== undefined) return refused;
    if (finding.status === 'good') until = earlier(until, finding.crl.nextUpdate);
  }
  return { status: 'good', depth: 0, until };
}

/** The anchor is trusted because somebody chose it: no list covers it. */
function lookedUp(
  path: readonly X509Certificate[],
  depth: RevocationRules['depth'],
): readonly X509Certificate[] {
  if (depth === 'leaf' || path.length === 1) return path.slice(0, 1);
  return path.slice(0, -1);
}

function refusal(
  finding: RevocationFinding,
  depth: number,
  rules: RevocationRules,
): RevocationVerdict | undefined {
  switch (finding.status) {
    case 'good':
      return undefined;
    case 'revoked':
      return { status: 'revoked', depth, reason: finding.entry.reason };
    case 'stale':
      return rules.stale === 'accept' ? undefined : { status: 'unknown', depth, reason: 'crl-stale' };
    case 'unusable':
      return { status: 'unknown', depth, reason: `the CRL that covers it ${finding.problem}` };
    case 'uncovered':
      return rules.unknown === 'accept' ? undefined : { status: 'unknown', depth };
  }
}

function earlier(one: Date | undefined, other: Date | undefined): Date | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return one < other ? one : other;
}
