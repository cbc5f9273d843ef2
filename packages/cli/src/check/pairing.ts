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
  const among = new KeyIndex(keys);
  const pairs = new Map(certificates.map((one) => [one, pairOf(one, among, certificates.length === 1)]));
  const paired = new Set([...pairs.values()].map((pair) => pair?.key));
  const given = certificates.flatMap((one) => [...one.chain, ...one.others]);
  const certified = new Set(given.map(({ publicKeyInfo }) => hex(publicKeyInfo.der)));
  const belongs = (key: KeyFile): boolean =>
    certified.has(hex(key.publicKey)) ||
    // The public key stands in a request as it does in a certificate.
    others.some(({ der }) => der.some((bytes) => Buffer.from(bytes).includes(key.publicKey)));
  const isStray = (key: KeyFile): boolean => given.length > 0 && !paired.has(key) && !belongs(key);
  return { keyOf: (certificate) => pairs.get(certificate), strays: keys.filter(isStray) };
}

const hex = (bytes: Buffer): string => bytes.toString('hex');

/** Keys by what they are looked for: a folder may hold thousands. */
class KeyIndex {
  readonly first: KeyFile | undefined;
  readonly #byPublicKey = new Map<string, KeyFile>();
  /** By the beginning of a file's name, up to any dot. */
  readonly #byName = new Map<string, KeyFile>();

  constructor(keys: readonly KeyFile[]) {
    this.first = keys[0];
    for (const key of keys) {
      keepFirst(this.#byPublicKey, hex(key.publicKey), key);
      for (let dot = key.file.indexOf('.'); dot !== -1; dot = key.file.indexOf('.', dot + 1))
        keepFirst(this.#byName, key.file.slice(0, dot), key);
    }
  }

  of(certificate: X509Certificate): KeyFile | undefined {
    return this.#byPublicKey.get(hex(certificate.publicKeyInfo.der));
  }

  named(base: string): KeyFile | undefined {
    return this.#byName.get(base);
  }
}

function keepFirst<Value>(map: Map<string, Value>, name: string, value: Value): void {
  if (!map.has(name)) map.set(name, value);
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
  keys: KeyIndex,
  isAlone: boolean,
): PairedKey | undefined {
  const own = leaf && keys.of(leaf);
  if (own !== undefined) return { key: own, matches: true };
  const meant = keys.named(file.replace(/\.\w+$/, '')) ?? (isAlone ? keys.first : undefined);
  return meant && { key: meant, matches: false };
}
