/** The certificates of a file, whatever form it has: the one reader of all that take certificates without their key. */
import { readAllOptions, string, type OptionReaders } from '../../options/index.js';
import { parseCertificates, type X509Certificate } from '../certificate.js';
import type { Pkcs12Contents } from './contents.js';
import { pkcs12Certificates, pkcs12Pairs } from './open.js';
import { isKeyStore, readPkcs12, readPkcs12OffThread } from './read.js';

/** What opens PKCS#12 files and Java's key stores; other forms ignore it. */
export interface StoreOpening {
  /** Opens the file. */
  readonly passphrase?: string | undefined;
  /** Friendly name (Java's alias) of the one key that is meant, of several. */
  readonly keyName?: string | undefined;
}

/** The certificates of one file, sorted by what they are there for. */
export interface CertificatesIn {
  /** The file's chain; of PKCS#12 one for each key, or for each certificate of a trust store. */
  readonly chains: readonly (readonly X509Certificate[])[];
  /** What the keys of a PKCS#12 file are called, one for each chain; undefined for other files and trust stores. */
  readonly names: readonly string[] | undefined;
  /** Certificates of a PKCS#12 file that belong to no key's chain. */
  readonly others: readonly X509Certificate[];
}

const openingOptions = {
  passphrase: string<string | undefined>,
  keyName: string<string | undefined>,
} as const satisfies OptionReaders<StoreOpening>;

/**
 * Reads PEM, DER, PKCS#7, PKCS#12, JKS and JCEKS; keys are derived off the main thread.
 * @throws MalformedDerError for what holds no certificate; CredentialsError for a store that can't be opened
 */
export async function certificatesIn(
  input: string | Uint8Array,
  opening: StoreOpening = {},
): Promise<CertificatesIn> {
  const { passphrase, keyName } = readAllOptions(opening, openingOptions);
  const bytes = bytesOf(input);
  if (!isKeyStore(bytes)) return { chains: [parseCertificates(input)], names: undefined, others: [] };
  return inStore(await readPkcs12OffThread(bytes, passphrase), keyName);
}

/** The same on the calling thread, as `readPkcs12`. */
export function certificatesInNow(
  input: string | Uint8Array,
  passphrase: string | undefined,
): X509Certificate[] {
  const bytes = bytesOf(input);
  return isKeyStore(bytes)
    ? allCertificates(inStore(readPkcs12(bytes, passphrase)))
    : parseCertificates(input);
}

/** All of them: chains first, each certificate once. */
export function allCertificates({ chains, others }: CertificatesIn): X509Certificate[] {
  if (chains.length === 1 && others.length === 0) return [...(chains[0] as readonly X509Certificate[])];
  return [...new Set([...chains.flat(), ...others])];
}

function inStore(contents: Pkcs12Contents, keyName?: string): CertificatesIn {
  if (contents.keys.length === 0 && keyName === undefined) {
    const chains = pkcs12Certificates(contents).map(({ certificate }) => [certificate]);
    return { chains, names: undefined, others: [] };
  }
  const { pairs, others } = pkcs12Pairs(contents, keyName);
  return { chains: pairs.map(({ chain }) => chain), names: pairs.map(({ name }) => name), others };
}

function bytesOf(input: string | Uint8Array): Uint8Array {
  return typeof input === 'string' ? Buffer.from(input, 'latin1') : input;
}
