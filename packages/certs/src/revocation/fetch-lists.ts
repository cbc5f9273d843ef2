/** Revocation lists fetched once, for a single verification. */
import { abortSignal, checkOptions, milliseconds, number, type OptionReaders } from '@knsock/core/options';
import type { CertificateRevocationList } from '@knsock/core/x509';
import { checkLocation, fetchCrls, type CrlLocation } from './crl-location.js';

/** Options of `fetchRevocationLists`. */
export interface FetchListsOptions {
  /** Timeout, in ms; default 10,000. */
  readonly timeout?: number | undefined;
  /** Maximum size of a response; default 16 MiB. */
  readonly maxBytes?: number | undefined;
  /** Ends the wait, with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Default limits of a fetch. */
export const DEFAULT_BOUNDS = { timeout: 10_000, maxBytes: 16 * 1_048_576 } as const;

const readers: OptionReaders<FetchListsOptions> = {
  timeout: milliseconds,
  maxBytes: number,
  signal: abortSignal,
};

const NEVER = new AbortController().signal;

/**
 * The lists at a path or a `http(s)://` or `file://` URL, PEM or DER. To keep them up to date use `revocationSource`.
 * @throws CertificateError `KNSOCK_CERTIFICATE_UNREACHABLE`, `_NOT_FOUND`, `_FILE` or `_MALFORMED`; the reason of `signal`.
 */
export async function fetchRevocationLists(
  location: CrlLocation,
  options: FetchListsOptions = {},
): Promise<readonly CertificateRevocationList[]> {
  checkOptions(options, readers);
  checkLocation(location);
  const { timeout = DEFAULT_BOUNDS.timeout, maxBytes = DEFAULT_BOUNDS.maxBytes, signal = NEVER } = options;
  const { crls = [] } = await fetchCrls(location, { timeout, maxBytes, signal });
  return crls;
}
