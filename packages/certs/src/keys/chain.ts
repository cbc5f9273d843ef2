/** Orders chains: leaf first, each certificate followed by its issuer. */
import type { KeyObject } from 'node:crypto';
import { flag, readAllOptions, withDefault, type OptionReaders } from '@knsock/core/options';
import { mayHaveIssued, parseCertificates, type X509Certificate } from '@knsock/core/x509';
import { CertificateError } from '../errors.js';
import { fromCore } from '../files/from-core.js';
import { certificateFits } from './key-matches.js';

/** Options of `fullChain`. */
export interface FullChainOptions {
  /** Keep a self-signed root; servers send none. Default true. */
  readonly root?: boolean | undefined;
}

/** How each of them is read, and its default. */
export const fullChainOptions = {
  root: withDefault<boolean>(flag, true),
} as const satisfies OptionReaders<FullChainOptions>;

/**
 * Orders the certificates of a text or file, whatever their order, without duplicates. The leaf is the one that
 * issued none of the others. Certificates of a CA's other keys, which also issued none of them, are left out.
 * @throws CertificateError `KNSOCK_CERTIFICATE_CHAIN` if they are not one chain.
 */
export function fullChain(input: string | Uint8Array, options: FullChainOptions = {}): string {
  const { root } = readAllOptions(options, fullChainOptions);
  const certificates = unique(fromCore(() => parseCertificates(input)));
  const leaf = leafOf(certificates);
  const ordered = orderChain(certificates, leaf);
  const isTwin = (one: X509Certificate) =>
    isAuthority(one) && ordered.some(({ subject }) => subject.equals(one.subject));
  const strangers = certificates.filter((one) => !ordered.includes(one) && !isTwin(one));
  if (strangers.length > 0) throw severalLeaves([leaf, ...strangers]);
  const kept = !root && ordered.length > 1 ? ordered.filter((one) => !isRoot(one)) : ordered;
  return kept.map(({ pem }) => pem).join('');
}

/**
 * The key's own certificate, followed by its issuers.
 * @throws CertificateError `KNSOCK_CERTIFICATE_KEY_MISMATCH` if none is the key's.
 */
export function chainOfKey(certificates: readonly X509Certificate[], key: KeyObject): X509Certificate[] {
  const leaf = certificates.find((certificate) => certificateFits(certificate, key));
  if (leaf !== undefined) return orderChain(certificates, leaf);
  throw new CertificateError('KNSOCK_CERTIFICATE_KEY_MISMATCH', "none of the certificates is the key's");
}

/** Of several that issued none of the others, a CA's is one of its other keys. */
function leafOf(certificates: readonly X509Certificate[]): X509Certificate {
  const last = certificates.filter(
    (one) => !certificates.some((other) => one !== other && mayHaveIssued(one, other)),
  );
  const leaves = last.length > 1 ? last.filter((one) => !isAuthority(one)) : last;
  const [leaf = certificates[0]] = leaves;
  if (leaves.length > 1 || (leaves.length === 0 && last.length > 1)) throw severalLeaves(last);
  return leaf as X509Certificate;
}

/** The leaf, followed by each one's issuer, as far as it is among the given certificates. */
function orderChain(certificates: readonly X509Certificate[], leaf: X509Certificate): X509Certificate[] {
  const chain = [leaf];
  // The chain grows during the iteration; a CA may have several certificates, which different clients need.
  for (const current of chain) {
    if (isRoot(current)) continue;
    for (const one of certificates) {
      const isNew = !chain.some(({ der }) => der.equals(one.der));
      if (isNew && mayHaveIssued(one, current)) chain.push(one);
    }
  }
  return chain;
}

function unique(certificates: readonly X509Certificate[]): X509Certificate[] {
  return [...new Map(certificates.map((one) => [one.fingerprint256, one])).values()];
}

const isAuthority = ({ basicConstraints }: X509Certificate): boolean => basicConstraints?.ca === true;
const isRoot = (one: X509Certificate): boolean => one.isSelfIssued && mayHaveIssued(one, one);

function severalLeaves(leaves: readonly X509Certificate[]): CertificateError {
  const subjects = leaves.map(({ subject }) => subject.toString()).join('; ');
  return broken(`there are ${leaves.length} certificates that issued none of the others: ${subjects}`);
}

function broken(message: string): CertificateError {
  return new CertificateError('KNSOCK_CERTIFICATE_CHAIN', message);
}
