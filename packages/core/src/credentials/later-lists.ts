/** Lists in use that new contents of the files would set back, or lose. */
import { isLaterList, isSameSeries } from '../x509/crl-series.js';
import type { CertificateRevocationList, X509Certificate } from '../x509/index.js';
import type { CredentialsWarning } from './warning.js';

type Lists = readonly CertificateRevocationList[];

/** What a file may make up as it goes must not fill the memory. */
const MOST_LOST = 100;

/**
 * The lists in use that are later than one of their series in the file: an old list that is published again, by a mirror that lags
 * or by an attacker on the way of a plain http download, makes no revoked certificate valid. One in the file that only claims
 * to be later changes nothing about that, since its signature isn't known to be good.
 */
export function laterLists(read: Lists, inUse: Lists): Lists {
  const later = inUse.filter((held) => isSetBack(held, read));
  return later.filter((held) => !later.some((one) => isSameSeries(one, held) && isLaterList(one, held)));
}

/**
 * The lists in use of whose series the files hold none any more, as where a bundle was cut short; of a CA that isn't trusted any more
 * none is needed.
 */
export function lostLists(read: Lists, inUse: Lists, anchors: Anchors): Lists {
  const lost = inUse.filter(
    (held) =>
      !read.some((one) => isSameSeries(one, held) || isMerged(held, one)) && !isOfFormer(held, anchors),
  );
  return lost.slice(0, MOST_LOST);
}

/** Whom the credentials trusted, and whom they trust. */
export interface Anchors {
  readonly before: readonly X509Certificate[] | null;
  readonly now: readonly X509Certificate[] | null;
}

/** A later complete list says what a delta list said. */
function isMerged(held: CertificateRevocationList, one: CertificateRevocationList): boolean {
  const isNewerBase = held.deltaBase !== undefined && one.deltaBase === undefined;
  return isNewerBase && one.issuer.key === held.issuer.key && isLaterList(one, held);
}

function isOfFormer({ issuer }: CertificateRevocationList, { before, now }: Anchors): boolean {
  const isAmong = (anchors: Anchors['now']): boolean =>
    anchors?.some(({ subject }) => subject.key === issuer.key) === true;
  return isAmong(before) && !isAmong(now);
}

function isSetBack(held: CertificateRevocationList, read: Lists): boolean {
  if (read.some(({ der }) => der.equals(held.der))) return false;
  return read.some((one) => isSameSeries(one, held) && isLaterList(held, one));
}

/** Lists of a file. */
export interface FileLists {
  readonly file: string | undefined;
  readonly crls: Lists;
}

/** That later lists stay in use, with the file that would set each back. */
export function laterWarnings(kept: Lists, sources: readonly FileLists[]): CredentialsWarning[] {
  return kept.map((held) => ({
    reason: 'crl-older',
    message: `the CRL of ${held.issuer.toString()} is older than the one in use of ${held.thisUpdate.toISOString()}, which stays in use`,
    file: sources.find(({ crls }) => isSetBack(held, crls))?.file,
    fatal: false,
  }));
}

/** That lost lists stay in use. */
export function lostWarnings(lost: Lists): CredentialsWarning[] {
  return lost.map((held) => ({
    reason: 'crl-missing',
    message: `no file holds a CRL of ${held.issuer.toString()} any more; the one of ${held.thisUpdate.toISOString()} stays in use`,
    file: undefined,
    fatal: false,
  }));
}
