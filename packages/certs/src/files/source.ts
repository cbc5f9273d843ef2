/** Where certificates, keys and lists are read from: text, bytes or a file. */
import { wrongKind } from '@knsock/core/options';
import {
  allCertificates,
  certificatesIn,
  parseCrls,
  type CertificateRevocationList,
  type CertificatesIn,
  type StoreOpening,
  type X509Certificate,
} from '@knsock/core/x509';
import { readBytes } from './atomic-file.js';
import { string, type OptionReaders } from '@knsock/core/options';
import { asCertificateError, fromCore } from './from-core.js';

/** A PEM text, bytes in any supported format, or the path of a file. */
export type Source = string | Uint8Array | { readonly file: string };

/** The reader of an option that is a source. */
export function source<V extends Source | undefined>(option: string, value: V): V {
  if (value === undefined || isSource(value)) return value;
  throw wrongKind(option, value, 'text, bytes, or { file }');
}

/** The reader of an option that is a source, or a list of them. */
export function sourceOrSources<V extends Source | readonly Source[] | undefined>(
  option: string,
  value: V,
): V {
  if (value === undefined || isSource(value) || (Array.isArray(value) && value.every(isSource))) return value;
  throw wrongKind(option, value, 'text, bytes, or { file }, or a list of them');
}

function isSource(value: unknown): boolean {
  if (typeof value === 'string' || value instanceof Uint8Array) return true;
  return typeof (Object(value) as { readonly file?: unknown }).file === 'string';
}

/**
 * The bytes of a source.
 * @throws CertificateError `KNSOCK_CERTIFICATE_NOT_FOUND` or `_UNREADABLE`.
 */
export async function readSource(source: Source): Promise<Uint8Array> {
  if (typeof source === 'string') return Buffer.from(source);
  return source instanceof Uint8Array ? source : readBytes(source.file);
}

/** How PKCS#12 files and Java's key stores are opened; other sources need neither. */
export interface SourceOpening extends StoreOpening {
  /** Opens PKCS#12 files and Java's key stores. */
  readonly passphrase?: string | undefined;
  /** For one with several keys: the key with this friendly name (Java: alias), and its chain. */
  readonly keyName?: string | undefined;
}

export const openingReaders = {
  passphrase: string<string | undefined>,
  keyName: string<string | undefined>,
} as const satisfies OptionReaders<SourceOpening>;

/**
 * Every certificate of a source, in its order; of PKCS#12 with a key its chain first.
 * @throws CertificateError `KNSOCK_CERTIFICATE_MALFORMED`, with the offset, `_PASSPHRASE` or `_UNSUPPORTED`, or as `readSource`.
 */
export async function readCertificates(
  source: Source,
  opening: SourceOpening = {},
): Promise<X509Certificate[]> {
  return allCertificates(await readChains(source, opening));
}

/** The same as the chains that they make. */
export async function readChains(source: Source, opening: SourceOpening = {}): Promise<CertificatesIn> {
  return chainsOf(await readSource(source), source, opening);
}

/** The same of bytes that were read already. */
export async function chainsOf(
  bytes: Uint8Array,
  source: Source,
  { passphrase, keyName }: SourceOpening,
): Promise<CertificatesIn> {
  try {
    return await certificatesIn(bytes, { passphrase, keyName });
  } catch (error) {
    throw asCertificateError(error, fileOf(source));
  }
}

/** Every revocation list of a source; errors as `readCertificates`. */
export async function readCrls(source: Source): Promise<CertificateRevocationList[]> {
  const bytes = await readSource(source);
  return translating(source, () => parseCrls(bytes));
}

/** Runs a reader of core's and translates its error, with file and offset. */
export function translating<T>(source: Source, read: () => T): T {
  return fromCore(read, fileOf(source));
}

/** The path of a source that is a file. */
export function fileOf(source: Source): string | undefined {
  return typeof source === 'object' && 'file' in source ? source.file : undefined;
}

/** The name of a source in messages and results. */
export function sourceName(source: Source): string {
  if (typeof source === 'string') return '(text)';
  return source instanceof Uint8Array ? '(bytes)' : source.file;
}
