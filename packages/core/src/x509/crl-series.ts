/** Which of two lists replaces the other. */
import type { CertificateRevocationList } from './crl.js';

/** Whether two lists are of one issuer, one key and one scope, so that the later one replaces the earlier. */
export function isSameSeries(one: CertificateRevocationList, other: CertificateRevocationList): boolean {
  return seriesOf(one) === seriesOf(other);
}

/** Whether a list was signed after another of its series: by date and, within one second, by number. */
export function isLaterList(one: CertificateRevocationList, other: CertificateRevocationList): boolean {
  const later = one.thisUpdate.getTime() - other.thisUpdate.getTime();
  return later === 0 ? numberOf(one) > numberOf(other) : later > 0;
}

function seriesOf(crl: CertificateRevocationList): string {
  const kind = crl.deltaBase === undefined ? 'full' : 'delta';
  const key = crl.authorityKeyIdentifier?.keyIdentifier?.toString('hex') ?? '';
  return [kind, crl.issuer.key, key, crl.issuingDistributionPoint?.der.toString('hex') ?? ''].join('\n');
}

/** A negative number is invalid and counts as the lowest. */
const numberOf = ({ number = '' }: CertificateRevocationList): bigint =>
  number === '' || number.startsWith('-') ? 0n : BigInt(`0x${number}`);
