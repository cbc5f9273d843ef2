import type { X509Certificate } from '../certificate.js';
import { failure, showList, type Failure } from '../failure.js';
import type { PathValidation } from '../path-validation.js';
import { purposeOid } from '../oid.js';

/**
 * Checks purposes: the leaf's and, where CAs name any, theirs must include the one wanted; without the extension every
 * purpose is allowed (RFC 5280 4.2.1.12). `anyExtendedKeyUsage` opens a CA to all, but isn't enough for a leaf, as
 * with OpenSSL. A leaf with a key usage must be allowed to sign, which is all it does in TLS 1.3 (RFC 8446 4.4.2.2).
 */
export function checkUsage({ path, usage }: PathValidation): Failure | undefined {
  for (const [depth, certificate] of path.entries()) {
    const problem =
      depth === 0 ? usageProblem(certificate, usage) : purposeProblem(certificate, usage, depth);
    if (problem !== undefined) return failure('wrong-usage', path, depth, problem);
  }
  return undefined;
}

/** What keeps a certificate from being shown as a server's or client's own; undefined where nothing does. */
export function usageProblem(certificate: X509Certificate, usage: 'server' | 'client'): string | undefined {
  return purposeProblem(certificate, usage, 0) ?? keyUsageProblem(certificate);
}

function purposeProblem(
  { extendedKeyUsage }: X509Certificate,
  usage: 'server' | 'client',
  depth: number,
): string | undefined {
  if (!extendedKeyUsage || extendedKeyUsage.includes(purposeOid[usage])) return undefined;
  if (depth > 0 && extendedKeyUsage.includes(purposeOid.any)) return undefined;
  return `isn't for TLS ${usage}s (extended key usage: ${showList(extendedKeyUsage.map(showPurpose))})`;
}

function keyUsageProblem({ keyUsage }: X509Certificate): string | undefined {
  return !keyUsage || keyUsage.has('digitalSignature')
    ? undefined
    : `may not sign (key usage: ${showList([...keyUsage])}); TLS needs digitalSignature`;
}

const purposeNames: Readonly<Record<string, string>> = {
  [purposeOid.any]: 'any',
  [purposeOid.server]: 'TLS server',
  [purposeOid.client]: 'TLS client',
  '1.3.6.1.5.5.7.3.3': 'code signing',
  '1.3.6.1.5.5.7.3.4': 'e-mail',
  '1.3.6.1.5.5.7.3.8': 'time stamping',
  '1.3.6.1.5.5.7.3.9': 'OCSP signing',
};

const showPurpose = (oid: string): string => purposeNames[oid] ?? oid;
