/** Lists in use that a file's new contents would set back. */
import { isLaterList, isSameSeries } from '../x509/crl-series.js';
import type { CertificateRevocationList } from '../x509/index.js';
import type { CredentialsWarning } from './warning.js';

type Lists = readonly CertificateRevocationList[];

/**
 * The lists in use that are later than one of their series in the file: an old list that is published again, by a mirror that lags
 * or by an attacker on the way of a plain http download, makes no revoked certificate valid. One in the file that only claims
 * to be later changes nothing about that, since its signature isn't known to be good.
 */
export function laterLists(read: Lists, inUse: Lists): Lists {
  const later = inUse.filter((held) => isSetBack(held, read));
  return later.filter((held) => !later.some((one) => isSameSeries(one, held) && isLaterList(one, held)));
}

function isSetBack(held: CertificateRevocationList, read: Lists): boolean {
  if (read.some(({ der }) => der.equals(held.der))) return false;
  return read.some((one) => isSameSeries(one, held) && isLaterList(held, one));
}

/** That they stay in use, with the file that would set each back. */
export function laterWarnings(
  kept: Lists,
  sources: readonly { readonly file: string | undefined; readonly crls: Lists }[],
): CredentialsWarning[] {
  return kept.map((held) => ({
    reason: 'crl-older',
    message: `the CRL of ${held.issuer.toString()} is older than the one in use of ${held.thisUpdate.toISOString()}, which stays in use`,
    file: sources.find(({ crls }) => isSetBack(held, crls))?.file,
    fatal: false,
  }));
}
