/** Revocation by lists: several of them, for the peer's certificate alone or its whole chain. */
import { InvalidOptionError } from '../errors/index.js';
import { oneOf, refuseUnknown } from '../options/index.js';
import type { X509Certificate } from '../x509/certificate.js';
import { CertificateRevocationList, parseCrls } from '../x509/crl.js';
import { checkRevocation, type RevocationFinding } from '../x509/revocation.js';
import type { RevocationSource, RevocationVerdict } from './revocation.js';
import { sha256 } from './sha256.js';

export interface CrlRevocationOptions {
  /** Lists, read already, as PEM (every list of a bundle counts) or DER. */
  readonly crls: readonly (CertificateRevocationList | string | Uint8Array)[];
  /** Which certificates are looked up: the peer's own (default), or all but the anchor. */
  readonly depth?: 'leaf' | 'chain' | undefined;
  /** What a certificate that no list covers means; default `'refuse'`. */
  readonly unknown?: 'refuse' | 'accept' | undefined;
  /** What a list past its next update means; default `'refuse'`. A revocation in it counts either way. */
  readonly stale?: 'refuse' | 'accept' | undefined;
}

const known = new Set(['crls', 'depth', 'unknown', 'stale']);

/**
 * A source that looks certificates up in lists. For lists that are fetched and refreshed see `revocationSource` of
 * `@knsock/certs`; to replace lists, `rotate` with a new source, or watch credentials that have a `crlFile`.
 * @throws InvalidOptionError, MalformedDerError
 */
export function crlRevocation(options: CrlRevocationOptions): RevocationSource {
  refuseUnknown(options, known);
  if (!Array.isArray(options.crls))
    throw new InvalidOptionError('crls', 'crls must be a list of revocation lists');
  const crls = (options.crls as CrlRevocationOptions['crls']).flatMap((crl) =>
    crl instanceof CertificateRevocationList ? [crl] : parseCrls(crl),
  );
  if (crls.length === 0) throw new InvalidOptionError('crls', 'crls holds no revocation list');
  const depth = oneOf('depth', options.depth, ['leaf', 'chain']) ?? 'leaf';
  const accepts = {
    uncovered: oneOf('unknown', options.unknown, ['refuse', 'accept']) === 'accept',
    stale: oneOf('stale', options.stale, ['refuse', 'accept']) === 'accept',
  };
  const rules = Buffer.from(JSON.stringify([depth, accepts]));
  return {
    version: sha256(Buffer.concat([rules, ...crls.map((crl) => crl.der)])),
    onChange: () => () => undefined,
    check: (path, { at }) =>
      checkPath(depth === 'leaf' ? path.slice(0, 1) : withoutAnchor(path), path, crls, at, accepts),
  };
}

interface Accepts {
  readonly uncovered: boolean;
  readonly stale: boolean;
}

/** An anchor is trusted because somebody chose it, and no list covers a root. */
function withoutAnchor(path: readonly X509Certificate[]): readonly X509Certificate[] {
  return path.length > 1 ? path.slice(0, -1) : path;
}

function checkPath(
  certificates: readonly X509Certificate[],
  path: readonly X509Certificate[],
  crls: readonly CertificateRevocationList[],
  at: Date,
  accepts: Accepts,
): RevocationVerdict {
  let until: Date | undefined;
  for (const [depth, certificate] of certificates.entries()) {
    const finding = checkRevocation(certificate, path[depth + 1], crls, {
      at: at.getTime(),
      acceptUnnumbered: true,
    });
    const refusal = refusalOf(finding, depth, accepts);
    if (refusal !== null) return refusal;
    if (finding.status === 'good') until = earlier(until, finding.crl.nextUpdate);
  }
  return { status: 'good', depth: 0, until };
}

function refusalOf(finding: RevocationFinding, depth: number, accepts: Accepts): RevocationVerdict | null {
  switch (finding.status) {
    case 'good':
      return null;
    case 'revoked':
      return { status: 'revoked', depth, reason: finding.entry.reason };
    case 'stale':
      return accepts.stale ? null : { status: 'unknown', depth, reason: 'crl-stale' };
    case 'unusable':
      return { status: 'unknown', depth, reason: `the CRL that covers it ${finding.problem}` };
    case 'uncovered':
      return accepts.uncovered ? null : { status: 'unknown', depth };
  }
}

function earlier(one: Date | undefined, other: Date | undefined): Date | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return one < other ? one : other;
}
