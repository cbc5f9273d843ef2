/**
 * Revocation lists from files and URLs for core's `revocation` option: fetched once, refreshed in the background; the
 * last valid list is kept. Only a check that comes before the first list is loaded waits for the network.
 */
import {
  abortSignal,
  backOffDelay,
  callback,
  failures,
  filePath,
  list,
  milliseconds,
  noConnection,
  offAbort,
  onAbort,
  raceAbort,
  readAllOptions,
  withDefault,
  type FailureReporter,
  type OptionReaders,
  type ReadOptions,
} from '@knsock/core/options';
import type { RevocationSource, RevocationVerdict } from '@knsock/core';
import {
  checkPathRevocation,
  revocationPolicyReaders,
  toRevocationVerdict,
  verifyCrlSignature,
  type CertificateRevocationList,
  type RevocationPolicyOptions,
  type X509Certificate,
} from '@knsock/core/x509';
import { checkLocation, fetchChanged, isRemote, type CrlLocation, type Fetched } from './crl-location.js';
import { CrlCache } from './crl-cache.js';
import { fetchLimitOptions } from './fetch-lists.js';
import { nextLook } from './next-look.js';
import { CertificateError } from '../errors.js';
import { HeldLists, LISTS_PER_LOCATION } from './held-lists.js';
import { readCertificates, source, type Source } from '../files/source.js';

/** Options of `revocationSource`. */
export interface RevocationSourceOptions extends RevocationPolicyOptions {
  /** Paths of files, or `http(s)://` and `file://` URLs; PEM or DER, several lists each. */
  readonly crls: readonly CrlLocation[];
  /** Issuers that must have signed a fetched list; by default the path being verified decides, list by list. */
  readonly issuers?: Source | undefined;
  /**
   * Longest interval between fetches, in ms; default 300,000. If a server limits caching (`Cache-Control`), it is asked again as
   * soon as that is over, at most once a second; each list is fetched before its next update. Minus up to a tenth at random.
   */
  readonly interval?: number | undefined;
  /**
   * A folder that caches fetched lists for the next start, when the server may be unreachable; default none. Cached lists
   * are treated like fetched ones: the signature is checked, and an older list never replaces a newer one.
   */
  readonly cacheDir?: string | undefined;
  /** Timeout for one fetch, in ms; default 10,000. */
  readonly timeout?: number | undefined;
  /** Maximum size of a response or file; default 16 MiB. */
  readonly maxBytes?: number | undefined;
  /**
   * Called for every failed fetch (a CertificateError; the last valid list stays), and with errors that a listener of
   * `onChange` throws or rejects with. Default a process warning, for fetches that no caller waits for.
   */
  readonly onError?: ((error: Error) => void) | undefined;
  /** Ends the refreshing. */
  readonly signal?: AbortSignal | undefined;
}

/** How each of them is read, and its default. */
export const revocationSourceOptions = {
  ...revocationPolicyReaders,
  crls: list<readonly CrlLocation[]>,
  issuers: source<Source | undefined>,
  interval: withDefault<number>(milliseconds, 300_000),
  cacheDir: filePath<string | undefined>,
  ...fetchLimitOptions,
  onError: callback<RevocationSourceOptions['onError']>,
  signal: abortSignal,
} as const satisfies OptionReaders<RevocationSourceOptions>;

/** The same with their defaults. */
type SourceSettings = ReadOptions<typeof revocationSourceOptions>;

/** A source with automatic refresh. */
export interface RefreshingRevocationSource extends RevocationSource, Disposable {
  /** Resolves when every location was tried once; rejects with the first failure, or if it is closed before. */
  ready(): Promise<void>;
  /** Fetches now, and again after the usual interval; errors as `ready`. */
  refresh(): Promise<void>;
  /** Stops the refresh; the loaded lists stay. */
  close(): void;
}

/**
 * Starts fetching; the timer doesn't keep the process alive. Redirects are followed, to http(s) only.
 * @throws CertificateError if there is no location, or one is neither a path nor an http, https or file URL.
 */
export function revocationSource(given: RevocationSourceOptions): RefreshingRevocationSource {
  const options = readAllOptions(given, revocationSourceOptions);
  if (((options.crls as readonly unknown[] | undefined) ?? []).length === 0) {
    throw new CertificateError('KNSOCK_CERTIFICATE_NOT_FOUND', 'no revocation list was named');
  }
  for (const location of options.crls) checkLocation(location);
  return new LocatedLists(options);
}

/** How long checks wait for new lists where every location has one from the last start, in ms: a server may swallow packets. */
const KEPT_WAIT_MS = 1_000;

class LocatedLists implements RefreshingRevocationSource {
  readonly #options: SourceSettings;
  readonly #lists = new HeldLists();
  readonly #listeners = new Set<() => void>();
  readonly #closing = new AbortController();
  readonly #reporter: FailureReporter;
  readonly #first: Promise<void>;
  /** Resolves once there is something to decide by. */
  readonly #usable: Promise<void>;
  readonly #cache: CrlCache | undefined;
  readonly #fetched = new Map<CrlLocation, Fetched>();
  readonly #close = (): void => {
    this.close();
  };
  #isUsable = false;
  #running: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #version = '';

  constructor(options: SourceSettings) {
    const { signal } = options;
    this.#options = options;
    this.#reporter = failures('onError', options.onError);
    this.#cache = options.cacheDir === undefined ? undefined : new CrlCache(options.cacheDir);
    if (signal?.aborted === true) this.close();
    else onAbort(signal, this.#close);
    let use!: () => void;
    this.#usable = new Promise((resolve) => {
      use = () => {
        this.#isUsable = true;
        resolve();
      };
    });
    this.#first = this.#begin(use).finally(use);
    // Callers that need the error use ready(), and the next attempt reports.
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
    // Before every location was tried, a certificate without a list may be one whose list is on its way.
    if (!this.#isUsable) await raceAbort(this.#usable, signal);
    this.#lists.learn(path.slice(1));
    const crls = this.#lists.all();
    const issuers = this.#lists.issuers();
    return toRevocationVerdict(
      checkPathRevocation({ path, crls, issuers, at: at.getTime(), policy: this.#options }),
    );
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
    offAbort(this.#options.signal, this.#close);
    this.#closing.abort(
      new CertificateError('KNSOCK_CERTIFICATE_UNREACHABLE', 'the revocation source is closed'),
    );
    clearTimeout(this.#timer);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Cached lists are loaded first, so that an unreachable server loses nothing. */
  async #begin(use: () => void): Promise<void> {
    let lacking = 0;
    for (const location of this.#options.crls) {
      const kept = isRemote(location) ? await this.#cache?.read(location) : undefined;
      if (kept === undefined) {
        lacking += 1;
        continue;
      }
      this.#fetched.set(location, kept);
      this.#lists.take(location, kept.crls ?? []);
    }
    if (lacking === 0) setTimeout(use, KEPT_WAIT_MS).unref();
    return this.refresh();
  }

  async #refreshAll(): Promise<void> {
    const outcomes = await Promise.allSettled(
      this.#options.crls.map((location) => this.#refreshOne(location)),
    );
    const failed = outcomes
      .filter((outcome) => outcome.status === 'rejected')
      .map(({ reason }) => reason as unknown);
    this.#failures = failed.length === 0 ? 0 : this.#failures + 1;
    this.#closing.signal.throwIfAborted();
    this.#announce();
    if (failed.length === 0) return;
    if (this.#options.onError !== undefined) for (const error of failed) this.#report(error);
    throw failed[0];
  }

  async #refreshOne(location: CrlLocation): Promise<void> {
    const { issuers, timeout, maxBytes } = this.#options;
    const bounds = { timeout, maxBytes, signal: this.#closing.signal };
    const fetched = await fetchChanged(location, bounds, this.#fetched.get(location));
    const { crls } = fetched;
    if (crls !== undefined && crls.length > LISTS_PER_LOCATION) {
      const message = `${location.toString()} holds ${crls.length} lists, over the limit of ${LISTS_PER_LOCATION}`;
      throw new CertificateError('KNSOCK_CERTIFICATE_MALFORMED', message);
    }
    if (issuers !== undefined && crls !== undefined) {
      const known = await readCertificates(issuers);
      checkIssuers(location, crls, known);
      this.#lists.learn(known);
    }
    if (this.#closing.signal.aborted) return;
    this.#fetched.set(location, { ...fetched, crls: undefined });
    if (crls === undefined) return;
    this.#lists.take(location, crls);
    // A list that can't be cached is still in force.
    const kept = { ...fetched, crls: this.#lists.of(location) };
    if (isRemote(location))
      await this.#cache?.keep(location, kept).catch((error: unknown) => {
        this.#report(error);
      });
  }

  /** Listeners are only notified of new lists. */
  #announce(): void {
    const { version } = this.#lists;
    if (version === this.#version) return;
    this.#version = version;
    for (const listener of [...this.#listeners])
      this.#reporter.run(listener, noConnection, 'a listener of onChange');
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    if (this.#closing.signal.aborted) return;
    const { interval } = this.#options;
    const pause =
      this.#failures === 0
        ? nextLook(interval, [...this.#fetched.values()], this.#lists.all(), Date.now())
        : backOffDelay({ first: 1_000, longest: interval }, this.#failures);
    this.#timer = setTimeout(() => {
      this.refresh().catch((error: unknown) => {
        if (this.#options.onError === undefined && !this.#closing.signal.aborted) this.#report(error);
      });
    }, pause);
    this.#timer.unref();
  }

  #report(error: unknown): void {
    this.#reporter.report(error, noConnection, 'fetching revocation lists');
  }
}

function checkIssuers(
  location: CrlLocation,
  crls: readonly CertificateRevocationList[],
  issuers: readonly X509Certificate[],
): void {
  const stranger = crls.find((crl) => !issuers.some((issuer) => verifyCrlSignature(crl, issuer)));
  if (stranger === undefined) return;
  const message = `the revocation list of ${stranger.issuer.toString()} at ${location.toString()} isn't signed by any of the issuers`;
  const hint = "Is that the right list, and are its authority's certificates among the issuers?";
  throw new CertificateError('KNSOCK_CERTIFICATE_MALFORMED', message, { hint });
}
