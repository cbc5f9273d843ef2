/** What revocation lists say of a path: one decision for connections, commands and files. */
import type { X509Certificate } from './certificate.js';
import type { CertificateRevocationList } from './crl.js';
import type { RevocationPolicy } from './revocation-policy.js';
import { checkRevocation, type RevocationFinding } from './revocation.js';

/** What lists say of a path. */
export type PathRevocation =
  /** `until`: when the first of the lists that proved it is due for an update. */
  | { readonly status: 'good'; readonly until: Date | undefined }
  | {
      readonly status: 'refused';
      readonly depth: number;
      readonly finding: Exclude<RevocationFinding, { status: 'good' }>;
    };

/** Everything the decision depends on. */
export interface PathRevocationInput {
  /** Leaf first, anchor last; the leaf alone on a resumed connection. */
  readonly path: readonly X509Certificate[];
  readonly crls: readonly CertificateRevocationList[];
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly policy: RevocationPolicy;
  /** Certificates that may have signed lists, beside those of the path. */
  readonly issuers: readonly X509Certificate[];
}

/** Decides on a path: revoked anywhere refuses, then the gap that is nearest to the leaf. */
export function checkPathRevocation(input: PathRevocationInput): PathRevocation {
  const findings = lookedUp(input.path).map((_certificate, depth) => findingAt(input, depth));
  const revoked = findings.findIndex(({ status }) => status === 'revoked');
  const depth =
    revoked >= 0 ? revoked : findings.findIndex((finding, at) => !passes(finding, at, input.policy));
  const finding = findings[depth];
  if (finding !== undefined && finding.status !== 'good') return { status: 'refused', depth, finding };
  return { status: 'good', until: earliestUpdate(findings) };
}

/** An anchor is trusted because it was configured: no list covers a root. A peer that is one itself is looked up. */
function lookedUp(path: readonly X509Certificate[]): readonly X509Certificate[] {
  return path.length > 1 ? path.slice(0, -1) : path;
}

function findingAt(
  { path, crls, at, policy, issuers }: PathRevocationInput,
  depth: number,
): RevocationFinding {
  const certificate = path[depth] as X509Certificate;
  const anchor = path.at(-1) as X509Certificate;
  return checkRevocation(certificate, path[depth + 1], crls, {
    at,
    acceptUnnumbered: policy.unnumbered === 'accept',
    requireDeltas: policy.missingDelta === 'refuse',
    ...(path.length > 1 && { anchor, issuers: [...path.slice(1), ...issuers] }),
  });
}

function passes({ status }: RevocationFinding, depth: number, policy: RevocationPolicy): boolean {
  switch (status) {
    case 'good':
      return true;
    case 'revoked':
    case 'unusable':
      return false;
    case 'stale':
      return policy.stale === 'accept';
    case 'uncovered':
      return policy.unknown === 'accept' || (policy.depth === 'leaf' && depth > 0);
  }
}

function earliestUpdate(findings: readonly RevocationFinding[]): Date | undefined {
  const times = findings.flatMap((finding) =>
    finding.status === 'good' ? (finding.crl.nextUpdate?.getTime() ?? []) : [],
  );
  return times.length === 0 ? undefined : new Date(Math.min(...times));
}
