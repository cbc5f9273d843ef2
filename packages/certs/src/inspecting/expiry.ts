/** When certificates and revocation lists expire: in files, folders and on servers. */
import {
  date,
  list,
  number,
  readAllOptions,
  string,
  texts,
  withDefault,
  type OptionReaders,
} from '@knsock/core/options';
import {
  allCertificates,
  parseCertificate,
  parseCrls,
  type CertificateRevocationList,
  type X509Certificate,
} from '@knsock/core/x509';
import { readBytes } from '../files/atomic-file.js';
import { CertificateError } from '../errors.js';
import { isHiddenKey, listFolder } from './certificate-folder.js';
import { fetchChain, liveReaders, type LiveOptions, type LiveSource } from './live.js';
import { datedKinds, type DatedKinds } from '../files/kinds-in.js';
import { chainsOf, translating } from '../files/source.js';

const DAY = 86_400_000;
/** Files and servers checked concurrently. */
const AT_ONCE = 16;

/** Options of `checkExpiry`. */
export interface ExpiryOptions extends LiveOptions {
  /** Opens PKCS#12 files and Java's key stores. */
  readonly passphrase?: string | undefined;
  /** Files with certificates or revocation lists, in any form. */
  readonly files?: readonly string[] | undefined;
  /**
   * Folders, with those below them: files and links ending in .crt, .pem, .cer, .der, .p7b, .p7c, .p12, .pfx, .jks, .keystore or .crl. Left out are names that
   * start with a dot, a store's archive (`issued/serials`), where replaced certificates may expire, and files that
   * hold something else: keys, requests and parameters, as certbot's folders have them.
   */
  readonly folders?: readonly string[] | undefined;
  /** Servers whose certificates are checked as well. */
  readonly endpoints?: readonly LiveSource[] | undefined;
  /** `due` from this many days before expiry; default 30. */
  readonly days?: number | undefined;
  /** The time of validation; default now. */
  readonly at?: Date | undefined;
}

/** How each of them is read, and its default. */
export const expiryOptions = {
  ...liveReaders,
  passphrase: string<string | undefined>,
  files: texts,
  folders: texts,
  endpoints: list,
  days: withDefault<number>(number, 30),
  at: date<Date | undefined>,
} as const satisfies OptionReaders<ExpiryOptions>;

/** One certificate or list, or the error of a source that can't be read. */
export type Expiry = CertificateExpiry | CrlExpiry | UnreadableExpiry;

/** Fields of every result. */
interface ExpirySource {
  /** The file, or `host:port`. */
  readonly source: string;
}

/** A certificate's dates. */
export interface CertificateExpiry extends ExpirySource {
  readonly type: 'certificate';
  /** As text (RFC 4514). */
  readonly subject: string;
  /** Lower-case hex. */
  readonly serial: string;
  /** The first moment of its validity. */
  readonly notBefore: Date;
  /** The last moment of its validity. */
  readonly notAfter: Date;
  /** Whole days until it expires, or since, then negative; 0 within a day of it, and `state` says on which side. */
  readonly daysLeft: number;
  /** `due`: within the days asked for. */
  readonly state: 'good' | 'due' | 'expired' | 'not-yet-valid';
}

/** A revocation list's dates. */
export interface CrlExpiry extends ExpirySource {
  readonly type: 'crl';
  /** The authority, as text (RFC 4514). */
  readonly issuer: string;
  /** When it was signed. */
  readonly thisUpdate: Date;
  /** Undefined if the list has no next update. */
  readonly nextUpdate: Date | undefined;
  /** `stale`: a newer list is due; `not-yet-valid`: it counts from `thisUpdate`. */
  readonly state: 'good' | 'stale' | 'not-yet-valid';
}

/** A source that can't be read. */
export interface UnreadableExpiry extends ExpirySource {
  readonly type: 'unreadable';
  readonly state: 'unreadable';
  /** Why it can't be read. */
  readonly error: CertificateError;
}

/**
 * Checks all sources; results are sorted by expiry, the soonest first. A source that can't be read is a result, not an
 * exception, so that it doesn't hide the others.
 * @throws the signal's reason.
 */
export async function checkExpiry(options: ExpiryOptions): Promise<Expiry[]> {
  const { at = new Date(), days, passphrase } = readAllOptions(options, expiryOptions);
  const horizon = at.getTime() + days * DAY;
  const view = { at, horizon, passphrase };
  const found = (await Promise.all((options.folders ?? []).map(listFolder))).flat();
  const files = options.files ?? [];
  const checks = [
    ...files.map((file) => () => tolerating(file, options, () => checkFile(file, view))),
    ...found.map((file) => () => tolerating(file, options, () => checkFound(file, view))),
    ...(options.endpoints ?? []).map((endpoint) => () => {
      const source = `${endpoint.host}:${endpoint.port}`;
      return tolerating(source, options, () => checkEndpoint(endpoint, options, at, horizon));
    }),
  ];
  const results = (await fewAtATime(checks)).flat();
  return results.sort((a, b) => endOf(a) - endOf(b));
}

/** Runs all tasks, at most `AT_ONCE` concurrently: files and sockets are limited. */
async function fewAtATime<T>(tasks: readonly (() => Promise<T>)[]): Promise<T[]> {
  const results: T[] = [];
  const waiting = tasks.entries();
  const worker = async () => {
    for (const [index, task] of waiting) results[index] = await task();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return results;
}

/** Runs a check and turns its failure into a result. */
async function tolerating<T>(
  source: string,
  { signal }: LiveOptions,
  check: () => Promise<T[]>,
): Promise<(T | UnreadableExpiry)[]> {
  try {
    return await check();
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof CertificateError)) throw error;
    return [{ source, type: 'unreadable', state: 'unreadable', error }];
  }
}

/** A file of a folder, which may hold other things than certificates. */
async function checkFound(file: string, view: View): Promise<Expiry[]> {
  if (await isHiddenKey(file)) return [];
  const bytes = await readBytes(file);
  return kindsOf(file, bytes) === 'other' ? [] : checkBytes(file, bytes, view);
}

async function checkFile(file: string, view: View): Promise<Expiry[]> {
  return checkBytes(file, await readBytes(file), view);
}

/** The times of validation, and what opens stores. */
interface View {
  readonly at: Date;
  readonly horizon: number;
  readonly passphrase: string | undefined;
}

async function checkBytes(file: string, bytes: Buffer, { at, horizon, passphrase }: View): Promise<Expiry[]> {
  const kinds = kindsOf(file, bytes);
  const holdsLists = kinds !== 'other' && kinds.has('revocation list');
  // For a key the reader of certificates reports that it is one.
  const holdsCertificates = kinds === 'other' || kinds.has('certificate');
  const certificates = holdsCertificates
    ? allCertificates(await chainsOf(bytes, { file }, { passphrase }))
    : [];
  const lists = holdsLists ? translating({ file }, () => parseCrls(bytes)) : [];
  return [
    ...certificates.map((certificate) => expiryOf(file, certificate, at, horizon)),
    ...lists.map((crl) => crlExpiryOf(file, crl, at)),
  ];
}

function kindsOf(file: string, bytes: Buffer): DatedKinds {
  return translating({ file }, () => datedKinds(bytes));
}

async function checkEndpoint(
  endpoint: LiveSource,
  options: LiveOptions,
  at: Date,
  horizon: number,
): Promise<Expiry[]> {
  const source = `${endpoint.host}:${endpoint.port}`;
  const chain = await fetchChain(endpoint, options);
  const certificates = translating({ file: source }, () => chain.map(parseCertificate));
  return certificates.map((certificate) => expiryOf(source, certificate, at, horizon));
}

function expiryOf(
  source: string,
  certificate: X509Certificate,
  at: Date,
  horizon: number,
): CertificateExpiry {
  const { serial, notBefore, notAfter } = certificate;
  // Adding 0 makes 0 of -0.
  const daysLeft = Math.trunc((notAfter.getTime() - at.getTime()) / DAY) + 0;
  const state =
    notAfter < at
      ? 'expired'
      : notBefore > at
        ? 'not-yet-valid'
        : notAfter.getTime() < horizon
          ? 'due'
          : 'good';
  const subject = certificate.subject.toString();
  return { source, type: 'certificate', subject, serial, notBefore, notAfter, daysLeft, state };
}

function crlExpiryOf(source: string, crl: CertificateRevocationList, at: Date): CrlExpiry {
  const { thisUpdate, nextUpdate } = crl;
  const isStale = nextUpdate === undefined || nextUpdate < at;
  const state = thisUpdate > at ? 'not-yet-valid' : isStale ? 'stale' : 'good';
  return { source, type: 'crl', issuer: crl.issuer.toString(), thisUpdate, nextUpdate, state };
}

function endOf(result: Expiry): number {
  if (result.type === 'certificate') return result.notAfter.getTime();
  return result.type === 'crl' ? (result.nextUpdate?.getTime() ?? 0) : 0;
}
