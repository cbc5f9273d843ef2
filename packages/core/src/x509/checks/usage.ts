import type { X509Certificate } from '../certificate.js';
import { failure, showList, type Failure } from '../failure.js';
import type { PathValidation } from '../path-validation.js';
import { purposeOid } from '../oid.js';
import { readPssParameters } from '../pss-parameters.js';

/**
 * Checks purposes: the leaf's and, where CAs name any, theirs must include the one wanted; without the extension every
 * purpose is allowed (RFC 5280 4.2.1.12). `anyExtendedKeyUsage` opens a CA to all, but isn't enough for a leaf, as
 * with OpenSSL. Netscape's certificate type, where a leaf has it, must name the purpose as well. A leaf with a key usage must be allowed to sign, which is all it does in TLS 1.3 (RFC 8446 4.4.2.2).
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
  return purposeProblem(certificate, usage, 0) ?? keyUsageProblem(certificate) ?? tlsKeyProblem(certificate);
}

/** What a certificate is shown as, where nothing else says it: a server's unless it is for clients alone. */
export function usageOf(certificate: X509Certificate): 'server' | 'client' {
  if (purposeProblem(certificate, 'server', 0) === undefined) return 'server';
  return certificate.extendedKeyUsage?.includes(purposeOid.server) === true ? 'server' : 'client';
}

/** Digests of TLS's signature schemes for RSASSA-PSS keys, with the length of their salts (RFC 8446 4.2.3). */
const pssDigests: Readonly<Record<string, { readonly name: string; readonly bytes: number }>> = {
  '2.16.840.1.101.3.4.2.1': { name: 'SHA-256', bytes: 32 },
  '2.16.840.1.101.3.4.2.2': { name: 'SHA-384', bytes: 48 },
  '2.16.840.1.101.3.4.2.3': { name: 'SHA-512', bytes: 64 },
};

/** What keeps a key from signing in TLS, whatever it may sign elsewhere: the parameters of an RSASSA-PSS key. */
export function tlsKeyProblem({ publicKeyInfo: { kind, algorithm } }: X509Certificate): string | undefined {
  if (kind.type !== 'rsa-pss' || algorithm.parameters === undefined) return undefined;
  const { hash, maskHash, saltLength } = readPssParameters(algorithm.parameters);
  const digest = pssDigests[hash];
  if (digest === undefined)
    return "has an RSA-PSS key for a digest that TLS hasn't (it has SHA-256, SHA-384 and SHA-512)";
  if (maskHash !== hash)
    return `has an RSA-PSS key whose mask has another digest than ${digest.name}, unlike in TLS`;
  if (saltLength <= digest.bytes) return undefined;
  return `has an RSA-PSS key for salts of at least ${saltLength} bytes; in TLS they have ${digest.bytes} with ${digest.name}`;
}

function purposeProblem(
  { extendedKeyUsage, netscapeCertType }: X509Certificate,
  usage: 'server' | 'client',
  depth: number,
): string | undefined {
  // OpenSSL looks at it on the leaf alone: a CA's basicConstraints outweigh it.
  if (depth === 0 && netscapeCertType?.has(`SSL ${usage}`) === false)
    return `isn't for TLS ${usage}s (Netscape certificate type: ${showList([...netscapeCertType])})`;
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
