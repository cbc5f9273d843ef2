/**
 * Revocation lists from files and URLs for core's `revocation` option: fetched once, refreshed in the background, the
 * last good list kept. Nobody waits for the network but a check that comes before the first list is there.
 */
import type { RevocationSource, RevocationVerdict } from '@knsock/core';
import { verifyCrlSignature, type CertificateRevocationList, type X509Certificate } from '@knsock/core/x509';
import { backOff } from './back-off.js';
import { fetchCrls, type CrlLocation } from './crl-location.js';
import { CertificateError } from './errors.js';
import { hexFingerprint } from './fingerprint.js';
import { judgeRevocation, type RevocationRules } from './revocation-verdict.js';
import { readCertificates, type Source } from './source.js';

/** Options of `revocationSource`. */
export interface RevocationSourceOptions {
  /** Paths of files, or `http(s)://` and `file://` URLs; PEM or DER, several lists each. */
  readonly crls: readonly CrlLocation[];
  /** Which certificates are looked up: the peer's own (default), or all but the anchor. */
  readonly depth?: 'leaf' | 'chain' | undefined;
  /** What a certificate that no list covers means; default `refuse`. */
  readonly unknown?: 'refuse' | 'accept' | undefined;
  /** What a list past its next update means; default `refuse`. A revocation in it counts either way. */
  readonly stale?: 'refuse' | 'accept' | undefined;
  /** Whose signature a fetched list must carry to be taken; without it the path judged decides, list by list. */
  readonly issuers?: Source | undefined;
  /** How often to look, in ms; default 300,000. */
  readonly interval?: number | undefined;
  /** For one fetch, in ms; default 10,000. */
  readonly timeout?: number | undefined;
  /** The largest location accepted; default 16 MiB. */
  readonly maxBytes?: number | undefined;
  /** Told of every failed fetch; the last good list stays. */
  readonly onError?: ((error: CertificateError) => void) | undefined;
  /** Ends the refreshing. */
  readonly signal?: AbortSignal | undefined;
}

/** A source that refreshes itself. */
export interface RefreshingRevocationSource extends RevocationSource, Disposable {
  /** Resolves when every location was tried once; rejects with the first failure. */
  ready(): Promise<void>;
  /** Looks now; errors as `ready`. */
  refresh(): Promise<void>;
  /** Ends the refreshing; the lists at hand stay. */
  close(): void;
}

/** Starts fetching; the timer doesn't keep the process alive. */
export function revocationSource(options: RevocationSourceOptions): RefreshingRevocationSource {
  if (options.crls.length === 0) {
    throw new CertificateError('KNSOCK_CERTIFICATE_NOT_FOUND', 'no revocation list was named');
  }
  return new LocatedLists(options);
}

const LISTS_PER_LOCATION = 100;

class LocatedLists implements RefreshingRevocationSource {
  readonly #options: RevocationSourceOptions;
  readonly #rules: RevocationRules;
  readonly #lists = new Map<CrlLocation, readonly CertificateRevocationList[]>();
  readonly #listeners = new Set<() => void>();
  readonly #closing = new AbortController();
  readonly #first: Promise<void>;
  #running: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #version = '';

  constructor(options: RevocationSourceOptions) {
    const { depth = 'leaf', unknown = 'refuse', stale = 'refuse', signal } = options;
    this.#options = options;
    this.#rules = { depth, unknown, stale };
    const close = () => {
      this.close();
    };
    if (signal?.aborted === true) close();
    signal?.addEventListener('abort', close, { once: true });
    this.#first = this.refresh();
    // Whoever cares asks ready(); the failure was told to onError.
    this.#first.catch(() => undefined);
  }

  get version(): string {
    return this.#version;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async check(
    path: readonly X509Certificate[],
    { at, signal }: { at: Date; signal: AbortSignal },
  ): Promise<RevocationVerdict> {
    signal.throwIfAborted();
    if (this.#lists.size === 0) await settledOrAborted(this.#first, signal);
    return judgeRevocation(path, [...this.#lists.values()].flat(), at, this.#rules);
  }

  ready(): Promise<void> {
    return this.#first;
  }

  refresh(): Promise<void> {
    return (this.#running ??= this.#refreshAll().finally(() => {
      this.#running = undefined;
      this.#schedule();
    }));
  }

  close(): void {
    this.#closing.abort(
      new CertificateError('KNSOCK_CERTIFICATE_UNREACHABLE', 'the revocation source is closed'),
    );
    clearTimeout(this.#timer);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #refreshAll(): Promise<void> {
    const outcomes = await Promise.allSettled(
      this.#options.crls.map((location) => this.#refreshOne(location)),
    );
    const failed = outcomes
      .filter((outcome) => outcome.status === 'rejected')
      .map(({ reason }) => reason as unknown);
    this.#failures = failed.length === 0 ? 0 : this.#failures + 1;
    this.#announce();
    if (this.#closing.signal.aborted || failed.length === 0) return;
    for (const error of failed) if (error instanceof CertificateError) this.#options.onError?.(error);
    throw failed[0];
  }

  async #refreshOne(location: CrlLocation): Promise<void> {
    const { timeout = 10_000, maxBytes = 16 * 1_048_576, issuers } = this.#options;
    const fetched = await fetchCrls(location, { timeout, maxBytes, signal: this.#closing.signal });
    if (fetched.length > LISTS_PER_LOCATION) {
      const message = `${location.toString()} holds ${fetched.length} lists, over the limit of ${LISTS_PER_LOCATION}`;
      throw new CertificateError('KNSOCK_CERTIFICATE_MALFORMED', message);
    }
    if (issuers !== undefined) checkIssuers(location, fetched, await readCertificates(issuers));
    this.#lists.set(location, newest(this.#lists.get(location) ?? [], fetched));
  }

  /** Listeners hear of new lists only. */
  #announce(): void {
    const lists = [...this.#lists.values()].flat();
    const version = hexFingerprint(Buffer.from(lists.map((crl) => crl.fingerprint256).join()));
    if (version === this.#version) return;
    this.#version = version;
    for (const listener of this.#listeners) listener();
  }

  #schedule(): void {
    if (this.#closing.signal.aborted) return;
    const { interval = 300_000 } = this.#options;
    const pause = this.#failures === 0 ? interval : Math.min(interval, backOff(1_000, this.#failures));
    this.#timer = setTimeout(() => {
      this.refresh().catch(() => undefined);
    }, pause);
    this.#timer.unref();
  }
}

/**
 * What to keep of the old and the fetched lists: of one issuer and key never an older one, so that nobody brings a
 * revoked certificate back by serving yesterday's list.
 */
function newest(
  held: readonly CertificateRevocationList[],
  fetched: readonly CertificateRevocationList[],
): CertificateRevocationList[] {
  return fetched.map((crl) => {
    const sameIssuer = (one: CertificateRevocationList) => keyOf(one) === keyOf(crl);
    const known = held.find((one) => sameIssuer(one) && isNewer(one, crl));
    const unchanged = held.find((one) => one.der.equals(crl.der));
    // The old object remembers whose signature was checked.
    return known ?? unchanged ?? crl;
  });
}

/** By date and, within one second, by number. */
function isNewer(one: CertificateRevocationList, other: CertificateRevocationList): boolean {
  const ahead = one.thisUpdate.getTime() - other.thisUpdate.getTime();
  return ahead !== 0 ? ahead > 0 : BigInt(`0x${one.number ?? '0'}`) > BigInt(`0x${other.number ?? '0'}`);
}

function keyOf(crl: CertificateRevocationList): string {
  const scope = crl.issuingDistributionPoint?.der.toString('hex') ?? '';
  return `${crl.issuer.key}\n${crl.authorityKeyIdentifier?.keyIdentifier?.toString('hex') ?? ''}\n${scope}`;
}

function checkIssuers(
  location: CrlLocation,
  crls: readonly CertificateRevocationList[],
  issuers: readonly X509Certificate[],
): void {
  const stranger = crls.find((crl) => !issuers.some((issuer) => verifyCrlSignature(crl, issuer)));
  if (stranger === undefined) return;
  const message = `the revocation list of ${stranger.issuer.toString()} at ${location.toString()} isn't signed by any of the issuers`;
  const hint = 'Is that the right list, and are its authority’s certificates among the issuers?';
  throw new CertificateError('KNSOCK_CERTIFICATE_MALFORMED', message, { hint });
}

/** Resolves when the promise has settled either way; rejects with the signal's reason. */
function settledOrAborted(promise: Promise<unknown>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', abort, { once: true });
    const settle = () => {
      signal.removeEventListener('abort', abort);
      resolve();
    };
    promise.then(settle, settle);
  });
}
