/** What is doubtful about lists by the clock. */
import type { CertificateRevocationList } from '../x509/index.js';
import type { CredentialsWarning } from './warning.js';

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
    if (now < crl.thisUpdate.getTime()) return stale(`isn't valid before ${crl.thisUpdate.toISOString()}`);
    if (crl.nextUpdate === undefined) return stale("doesn't say until when it holds (it has no nextUpdate)");
    return now > crl.nextUpdate.getTime()
      ? stale(`was due for renewal on ${crl.nextUpdate.toISOString()}`)
      : [];
  });
}
