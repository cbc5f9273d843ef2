/** Revocation lists fetched once, for a single verification. */
import {
  abortSignal,
  milliseconds,
  integerWithin,
  readAllOptions,
  withDefault,
  type OptionReaders,
} from '@knsock/core/options';
import type { CertificateRevocationList } from '@knsock/core/x509';
import { checkLocation, fetchChanged, type CrlLocation } from './crl-location.js';

/** Options of `fetchCrls`. */
export interface FetchCrlsOptions {
  /** Timeout, in ms; default 10,000. */
  readonly timeout?: number | undefined;
  /** Maximum size of a response; default 16 MiB. */
  readonly maxBytes?: number | undefined;
  /** Ends the wait, with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/** The limits of every fetch, and their defaults. */
export const fetchLimitOptions = {
  timeout: withDefault<number>(milliseconds, 10_000),
  maxBytes: withDefault<number>(integerWithin({ min: 1 }), 16 * 1_048_576),
} as const;

/** How each of them is read, and its default. */
export const fetchCrlsOptions = {
  ...fetchLimitOptions,
  signal: abortSignal,
} as const satisfies OptionReaders<FetchCrlsOptions>;

const NEVER = new AbortController().signal;

/**
 * The lists at a path or a `http(s)://` or `file://` URL, PEM or DER. To keep them up to date use `revocationSource`.
 * @throws CertificateError `KNSOCK_CERTIFICATE_UNREACHABLE`, `_NOT_FOUND`, `_UNREADABLE` or `_MALFORMED`; the reason of `signal`.
 */
export async function fetchCrls(
  location: CrlLocation,
  options: FetchCrlsOptions = {},
): Promise<readonly CertificateRevocationList[]> {
  const { timeout, maxBytes, signal = NEVER } = readAllOptions(options, fetchCrlsOptions);
  checkLocation(location);
  const { crls = [] } = await fetchChanged(location, { timeout, maxBytes, signal });
  return crls;
}
