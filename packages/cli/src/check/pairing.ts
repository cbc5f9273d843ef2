/** Which of the given keys belongs to which of the given certificates. */
import { mayHaveIssued, type X509Certificate } from '@knsock/core/x509';
import type { CertificateFile, KeyFile, SortedFiles } from './sorted-files.js';

/** A certificate's key: its own, or the one that was probably meant to be. */
export interface PairedKey {
  readonly key: KeyFile;
  readonly matches: boolean;
}

export interface Pairing {
  readonly keyOf: (certificate: CertificateFile) => PairedKey | undefined;
  /** Keys of none of the given certificates, requests and public keys, and meant for none by their names. */
  readonly strays: readonly KeyFile[];
}

/** Pairs keys with certificates; without any certificate no key is a stray. */
export function pairUp({ certificates, keys, others }: SortedFiles): Pairing {
  const pairs = new Map(certificates.map((one) => [one, pairOf(one, keys, certificates.length === 1)]));
  const paired = new Set([...pairs.values()].map((pair) => pair?.key));
  const given = certificates.flatMap((one) => [...one.chain, ...one.others]);
  const belongs = (key: KeyFile): boolean =>
    given.some((certificate) => isKeyOf(key, certificate)) ||
    // The public key stands in a request as it does in a certificate.
    others.some(({ der }) => der.some((bytes) => Buffer.from(bytes).includes(key.publicKey)));
  const isStray = (key: KeyFile): boolean => given.length > 0 && !paired.has(key) && !belongs(key);
  return { keyOf: (certificate) => pairs.get(certificate), strays: keys.filter(isStray) };
}

/**
 * Whether a CA certificate with its private key is there as a server's or client's own, as `openssl req -x509` makes them:
 * it may take part in a handshake, and none of the others is issued by it.
 */
export function isForOwnUse(certificate: X509Certificate, among: readonly X509Certificate[]): boolean {
  const { keyUsage } = certificate;
  if (keyUsage !== undefined && !keyUsage.has('digitalSignature')) return false;
  return !among.some((one) => !one.der.equals(certificate.der) && mayHaveIssued(certificate, one));
}

/** The matching key, else the probably intended one: of the same name, or the only one. */
function pairOf(
  { file, chain: [leaf] }: CertificateFile,
  keys: readonly KeyFile[],
  isAlone: boolean,
): PairedKey | undefined {
  const own = keys.find((key) => leaf !== undefined && isKeyOf(key, leaf));
  if (own !== undefined) return { key: own, matches: true };
  const base = file.replace(/\.\w+$/, '');
  const meant = keys.find((key) => key.file.startsWith(`${base}.`)) ?? (isAlone ? keys[0] : undefined);
  return meant && { key: meant, matches: false };
}

const isKeyOf = (key: KeyFile, certificate: X509Certificate): boolean =>
  key.publicKey.equals(certificate.publicKeyInfo.der);
