/** What is doubtful about credentials by the clock. */
import type { CertificateRevocationList, X509Certificate } from '../x509/index.js';
import type { CredentialsWarning } from './warning.js';

/** @param isFatal whether every peer refuses a certificate that these dates concern */
export function dateWarning(
  certificate: X509Certificate,
  which: string,
  { now, file, fatal }: { now: number; file: string | undefined; fatal: boolean },
): CredentialsWarning | undefined {
  if (now > certificate.notAfter.getTime()) {
    const message = `${which} expired on ${certificate.notAfter.toISOString()}`;
    return { reason: 'expired', message, file, fatal };
  }
  if (now < certificate.notBefore.getTime()) {
    const message = `${which} isn’t valid before ${certificate.notBefore.toISOString()}`;
    return { reason: 'not-yet-valid', message, file, fatal };
  }
  return undefined;
}

export function isWithinDates(certificate: X509Certificate, now: number): boolean {
  return now <= certificate.notAfter.getTime() && now >= certificate.notBefore.getTime();
}

/** A list without nextUpdate has no known validity (RFC 5280 5.1.2.5 requires it), so it proves nothing. */
export function staleWarnings(
  crls: readonly CertificateRevocationList[],
  now: number,
  file: string | undefined,
): CredentialsWarning[] {
  return crls.flatMap((crl): CredentialsWarning[] => {
    const which = `the CRL of ${crl.issuer.toString()}`;
    const stale = (problem: string): CredentialsWarning[] => [
      { reason: 'crl-stale', message: `${which} ${problem}`, file, fatal: true },
    ];
    if (crl.nextUpdate === undefined) return stale('doesn’t say until when it holds (it has no nextUpdate)');
    return now > crl.nextUpdate.getTime()
      ? stale(`was due for renewal on ${crl.nextUpdate.toISOString()}`)
      : [];
  });
}
