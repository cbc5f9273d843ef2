import type { KeyObject } from 'node:crypto';
import { MalformedDerError } from '../../errors/malformed-der.js';
import { CredentialsError } from '../../errors/security.js';
import { X509Certificate } from '../certificate.js';
import { publicHalf } from '../keys/open-key.js';
import { mayHaveIssued } from '../issuance.js';
import { garbage } from './problem.js';
import { readPkcs12, type Pkcs12Contents } from './read.js';

/** A PKCS#12 file in the order in which TLS wants its parts. */
export interface OpenedPkcs12 {
  /** The key's certificate, its issuer, that one's issuer and so on, as far as the file has them. */
  readonly chain: readonly [X509Certificate, ...X509Certificate[]];
  readonly key: KeyObject;
  /** Certificates that aren't part of the chain, in the file's order. */
  readonly others: readonly X509Certificate[];
}

interface Entry {
  readonly certificate: X509Certificate;
  readonly localKeyId: Buffer | undefined;
}

/** Issuers are searched by name and signature, each among all: a bound on what that costs. */
const MAX_CERTIFICATES = 256;

/**
 * Reads a PKCS#12 file (RFC 7292) and finds the key's certificate and its chain; nothing is judged, dates and strength are the
 * caller's business. Of several keys the first that has its certificate in the file counts.
 * @param passphrase undefined and '' both open a file that was made without one
 * @throws CredentialsError 'passphrase', 'garbage', 'unsupported', 'half-a-pair', or 'mismatch' where no certificate fits a key
 */
export function openPkcs12(bytes: Uint8Array, passphrase: string | undefined): OpenedPkcs12 {
  const contents = readPkcs12(bytes, passphrase);
  requirePair(contents);
  const entries = contents.certificates.map(({ der, localKeyId }, index) => ({
    certificate: readCertificate(der, index),
    localKeyId,
  }));
  const { key, leaf } = findPair(contents.keys, entries);
  const chain = chainOf(
    leaf,
    entries.map(({ certificate }) => certificate),
  );
  const linked = new Set<X509Certificate>(chain);
  const others = entries.flatMap(({ certificate }) => (linked.has(certificate) ? [] : [certificate]));
  return { chain, key, others };
}

function requirePair({ certificates, keys }: Pkcs12Contents): void {
  if (certificates.length > MAX_CERTIFICATES)
    throw garbage(
      `holds ${certificates.length.toLocaleString('en')} certificates, over the limit of ${MAX_CERTIFICATES}`,
    );
  if (certificates.length > 0 && keys.length > 0) return;
  const found = [counted(certificates.length, 'certificate'), counted(keys.length, 'private key')];
  throw new CredentialsError('half-a-pair', `the PKCS#12 file holds ${found.join(' and ')}`);
}

const counted = (count: number, noun: string): string =>
  count === 0 ? `no ${noun}` : `${count} ${noun}${count === 1 ? '' : 's'}`;

function readCertificate(der: Buffer, index: number): X509Certificate {
  try {
    return new X509Certificate(der);
  } catch (error) {
    if (!(error instanceof MalformedDerError)) throw error;
    throw garbage(`holds a certificate (number ${index + 1}) that can’t be read: ${error.message}`, error);
  }
}

function findPair(
  keys: Pkcs12Contents['keys'],
  entries: readonly Entry[],
): { key: KeyObject; leaf: X509Certificate } {
  for (const { key, localKeyId } of keys) {
    const fitting = entries.filter(({ certificate }) => fits(key, certificate));
    // A key that outlived a renewal has several.
    const marked = fitting.find((entry) => localKeyId !== undefined && entry.localKeyId?.equals(localKeyId));
    const leaf = (marked ?? fitting[0])?.certificate;
    if (leaf !== undefined) return { key, leaf };
  }
  const held = counted(entries.length, 'certificate');
  throw new CredentialsError('mismatch', `no private key of the PKCS#12 file belongs to any of its ${held}`);
}

function fits(key: KeyObject, certificate: X509Certificate): boolean {
  try {
    return publicHalf(key).equals(certificate.publicKey);
  } catch {
    // A certificate whose key this Node can't use may still be an issuer's.
    return false;
  }
}

function chainOf(
  leaf: X509Certificate,
  all: readonly X509Certificate[],
): [X509Certificate, ...X509Certificate[]] {
  const chain: [X509Certificate, ...X509Certificate[]] = [leaf];
  for (let last = leaf; !last.isSelfIssued || !last.isSelfSigned;) {
    const issuer = all.find((candidate) => !chain.includes(candidate) && mayHaveIssued(candidate, last));
    if (issuer === undefined) break;
    chain.push(issuer);
    last = issuer;
  }
  return chain;
}
