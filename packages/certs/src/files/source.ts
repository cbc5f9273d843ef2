/** Where certificates, keys and lists are read from: text, bytes or a file. */
import {
  parseCertificates,
  parseCrls,
  type CertificateRevocationList,
  type X509Certificate,
} from '@knsock/core/x509';
import { readBytes } from './atomic-file.js';
import { fromCore } from './from-core.js';

/** A PEM text, bytes in any supported format, or the path of a file. */
export type Source = string | Uint8Array | { readonly file: string };

/**
 * The bytes of a source.
 * @throws CertificateError `KNSOCK_CERTIFICATE_NOT_FOUND` or `KNSOCK_CERTIFICATE_FILE`.
 */
export async function readSource(source: Source): Promise<Uint8Array> {
  if (typeof source === 'string') return Buffer.from(source);
  return source instanceof Uint8Array ? source : readBytes(source.file);
}

/**
 * Every certificate of a source, in its order.
 * @throws CertificateError `KNSOCK_CERTIFICATE_MALFORMED`, with the offset, or as `readSource`.
 */
export async function readCertificates(source: Source): Promise<X509Certificate[]> {
  const bytes = await readSource(source);
  return translating(source, () => parseCertificates(bytes));
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
