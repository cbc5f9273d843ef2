/** Inspects certificates, chains, requests, lists, keys and PKCS#12 files from any source. */
import { date, readAllOptions, string, type OptionReaders } from '@knsock/core/options';
import { formOf, parseCertificate } from '@knsock/core/x509';
import { CertificateError } from '../errors.js';
import { asCertificateError } from '../files/from-core.js';
import { fileOf, readSource, sourceName, type Source } from '../files/source.js';
import { certificateFacts, type Inspected } from './facts.js';
import { readItems } from './items.js';
import { fetchChain, liveReaders, type LiveOptions, type LiveSource } from './live.js';

export { type Inspected } from './facts.js';

/** Everything found in one source, in its order; plain data. */
export interface Inspection {
  /** The file, or `host:port`. */
  readonly source: string;
  /** The file's format, such as `PEM`, `DER` or `PKCS#7 (.p7b), PEM in UTF-16`; undefined for a server. */
  readonly format?: string | undefined;
  /** Each certificate, list, request and key. */
  readonly items: readonly Inspected[];
}

/** Options of `inspect`. */
export interface InspectOptions extends LiveOptions {
  /** Opens encrypted keys and PKCS#12 files. */
  readonly passphrase?: string | undefined;
  /** For a PKCS#12 file: only the key with this friendly name (Java: alias), and its chain. */
  readonly keyName?: string | undefined;
  /** The time at which dates are checked; default now. */
  readonly at?: Date | undefined;
}

/** How each of them is read, and its default. */
export const inspectOptions = {
  ...liveReaders,
  passphrase: string<string | undefined>,
  keyName: string<string | undefined>,
  at: date<Date | undefined>,
} as const satisfies OptionReaders<InspectOptions>;

/**
 * Inspects a text, bytes, a file, or a server's certificates, in any form. Of keys only the public half is shown.
 * A part that can't be read is an item among the others, unless it is the only one.
 * @throws CertificateError `KNSOCK_CERTIFICATE_MALFORMED` with the offset if nothing can be read;
 *   `_PASSPHRASE` for a PKCS#12 file that can't be opened; `_UNREACHABLE` for a server.
 */
export async function inspect(
  source: Source | LiveSource,
  options: InspectOptions = {},
): Promise<Inspection> {
  const { passphrase, keyName, at = new Date() } = readAllOptions(options, inspectOptions);
  if (isLive(source)) {
    const chain = await fetchChain(source, options);
    const items = chain.map((der) => certificateFacts(parseCertificate(der), at));
    return { source: `${source.host}:${source.port}`, items };
  }
  const input = await readSource(source);
  const items = await readItems(input, { passphrase, keyName, at }).catch((error: unknown) => {
    throw named(source, error);
  });
  return { source: sourceName(source), format: formOf(input), items };
}

function isLive(source: Source | LiveSource): source is LiveSource {
  return typeof source === 'object' && 'host' in source;
}

function named(source: Source, error: unknown): unknown {
  const told = asCertificateError(error);
  if (!(told instanceof CertificateError)) return told;
  const { code, message, hint, offset, cause } = told;
  const file = fileOf(source);
  return new CertificateError(code, `${sourceName(source)}: ${message}`, {
    cause: cause ?? error,
    hint,
    offset,
    file,
  });
}
