/** Checks the certificate that a CA issued before it is used; pure. */
import type { KeyObject } from 'node:crypto';
import { isIssuedBy, parseCertificates, type X509Certificate } from '@knsock/core/x509';
import { parseNames } from '../issuing/names.js';
import { certificateFits } from '../keys/key-matches.js';
import { AcmeError, type AcmeErrorDetails } from './acme-error.js';
import type { Identifier } from './identifier.js';

/** A chain of more certificates is no chain. */
const MOST = 10;

/**
 * Key, names, use, dates, and a chain in which each certificate is signed by the next (RFC 8555 §7.4.2).
 * @returns the leaf
 * @throws AcmeError `KNSOCK_ACME_CERTIFICATE`
 */
export function checkIssued(
  pem: string,
  { key, identifiers, now }: { key: KeyObject; identifiers: readonly Identifier[]; now: Date },
): X509Certificate {
  const chain = readChain(pem);
  const leaf = chain[0] as X509Certificate;
  if (!certificateFits(leaf, key)) throw refuse('it is for another key');
  if (!hasNames(leaf, identifiers)) throw refuse(`it is for ${namesIn(leaf).join(', ')}`);
  if (leaf.basicConstraints?.ca === true) throw refuse("it is an authority's");
  const uses = leaf.extendedKeyUsage;
  if (uses !== undefined && !uses.includes('1.3.6.1.5.5.7.3.1')) throw refuse("it isn't for servers");
  if (leaf.notAfter <= now)
    throw refuse(`it expired at ${leaf.notAfter.toISOString()}; now is ${now.toISOString()}`, {
      hint: "Is this machine's clock right? The current certificate stays.",
    });
  if (chain.length === 1) throw refuse("its issuer's certificate is missing");
  const broken = chain.findIndex((one, index) => index > 0 && !isIssuedBy(chain[index - 1] ?? one, one));
  if (broken !== -1)
    throw refuse(`certificate ${broken} of ${chain.length} of its chain isn't signed by the next`);
  return leaf;
}

/** Whether a certificate is for exactly these names. */
export function hasNames(certificate: X509Certificate, identifiers: readonly Identifier[]): boolean {
  const has = new Set(namesIn(certificate));
  return has.size === identifiers.length && identifiers.every(({ value }) => has.has(value));
}

function namesIn({ dnsNames, ipAddresses }: X509Certificate): string[] {
  return parseNames([...dnsNames, ...ipAddresses]).map(({ value }) => value);
}

function readChain(pem: string): X509Certificate[] {
  let chain: X509Certificate[];
  try {
    chain = parseCertificates(pem);
  } catch (cause) {
    throw refuse("it can't be read", { cause });
  }
  if (chain.length <= MOST) return chain;
  throw refuse(`its chain has ${chain.length} certificates`);
}

function refuse(why: string, details: AcmeErrorDetails = {}): AcmeError {
  const message = `the certificate that the CA issued can't be used: ${why}`;
  return new AcmeError('KNSOCK_ACME_CERTIFICATE', message, details);
}
