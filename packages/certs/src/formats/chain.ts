/** Chains put in order: leaf first, each certificate followed by its issuer. */
import type { KeyObject } from 'node:crypto';
import { checkOptions, flag } from '@knsock/core/options';
import { mayHaveIssued, parseCertificate, type X509Certificate } from '@knsock/core/x509';
import { CertificateError } from '../errors.js';
import { certificateFits } from '../keys/key-matches.js';
import { certificateBlocks, toPem } from './pem.js';

/**
 * Orders the certificates of a PEM text, in whatever order they come, without repetitions. The leaf is the one that
 * issued none of the others.
 * @param options `root: false` leaves a self-signed root out, as servers want it; default true.
 * @throws CertificateError `KNSOCK_CERTIFICATE_CHAIN` where they are not one chain.
 */
export function fullChain(pem: string, options: { readonly root?: boolean | undefined } = {}): string {
  checkOptions(options, { root: flag });
  const certificates = certificateBlocks(pem).map(({ der }) => der);
  const parsed = certificates.map(parse);
  const leaf = parsed.filter((one) => !parsed.some((other) => isIssuer(one, other)));
  if (leaf.length > 1) throw severalLeaves(leaf);
  const ordered = orderChain(certificates, (leaf[0] ?? parsed[0])?.der ?? Buffer.alloc(0));
  const unique = new Set(certificates.map((der) => der.toString('base64'))).size;
  if (ordered.length < unique) throw broken('the certificates are not one chain');
  const isRoot = (der: Buffer) => isSelfSigned(parse(der));
  const kept = options.root === false && ordered.length > 1 ? ordered.filter((der) => !isRoot(der)) : ordered;
  return kept.map((der) => toPem('CERTIFICATE', der)).join('');
}

/**
 * The key's own certificate and, after it, its issuers.
 * @throws CertificateError `KNSOCK_CERTIFICATE_KEY_MISMATCH` where none is the key's.
 */
export function chainOfKey(certificates: readonly Buffer[], key: KeyObject): Buffer[] {
  const leaf = certificates.find((der) => certificateFits(der, key));
  if (leaf !== undefined) return orderChain(certificates, leaf);
  throw new CertificateError('KNSOCK_CERTIFICATE_KEY_MISMATCH', 'none of the certificates is the key’s');
}

/** The leaf and then, among the given certificates, each one's issuer, as far as there is one. */
function orderChain(certificates: readonly Buffer[], leaf: Buffer): Buffer[] {
  const rest = certificates.map(parse);
  const chain: X509Certificate[] = [];
  let next: X509Certificate | undefined = parse(leaf);
  while (next !== undefined) {
    const current: X509Certificate = next;
    chain.push(current);
    const isUnused = (one: X509Certificate) => !chain.some(({ der }) => der.equals(one.der));
    next = isSelfSigned(current) ? undefined : rest.find((one) => isUnused(one) && isIssuer(one, current));
  }
  return chain.map(({ der }) => der);
}

/** By name and by signature: names alone may be shared by an authority's old and new key. */
function isIssuer(issuer: X509Certificate, issued: X509Certificate): boolean {
  return !issuer.der.equals(issued.der) && mayHaveIssued(issuer, issued);
}

function isSelfSigned(certificate: X509Certificate): boolean {
  return mayHaveIssued(certificate, certificate);
}

function parse(der: Buffer): X509Certificate {
  try {
    return parseCertificate(der);
  } catch (cause) {
    throw new CertificateError('KNSOCK_CERTIFICATE_MALFORMED', 'that is not a certificate', { cause });
  }
}

function severalLeaves(leaves: readonly X509Certificate[]): CertificateError {
  const subjects = leaves.map(({ subject }) => subject.toString()).join('; ');
  return broken(`there are ${leaves.length} certificates that issued none of the others: ${subjects}`);
}

function broken(message: string): CertificateError {
  return new CertificateError('KNSOCK_CERTIFICATE_CHAIN', message);
}
