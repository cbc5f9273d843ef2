/** What is doubtful about credentials that load all the same. */
import { CredentialsError } from '../errors/index.js';
import type { CertificateRevocationList, X509Certificate } from '../x509/index.js';

export interface CredentialsWarning {
  readonly reason: 'expired' | 'not-yet-valid' | 'crl-stale';
  readonly message: string;
  readonly file: string | undefined;
}

export function dateWarnings(
  chain: readonly X509Certificate[],
  now: number,
  file: string | undefined,
): CredentialsWarning[] {
  return chain.flatMap((certificate, depth): CredentialsWarning[] => {
    const which = `certificate ${depth} (${certificate.subject.toString()})`;
    if (now > certificate.notAfter.getTime()) {
      return [
        { reason: 'expired', message: `${which} expired on ${certificate.notAfter.toISOString()}`, file },
      ];
    }
    if (now < certificate.notBefore.getTime()) {
      return [
        {
          reason: 'not-yet-valid',
          message: `${which} isn’t valid before ${certificate.notBefore.toISOString()}`,
          file,
        },
      ];
    }
    return [];
  });
}

export function staleWarnings(
  crls: readonly CertificateRevocationList[],
  now: number,
  file: string | undefined,
): CredentialsWarning[] {
  return crls.flatMap((crl): CredentialsWarning[] => {
    if (crl.nextUpdate === undefined || now <= crl.nextUpdate.getTime()) return [];
    const message = `the CRL of ${crl.issuer.toString()} was due for renewal on ${crl.nextUpdate.toISOString()}`;
    return [{ reason: 'crl-stale', message, file }];
  });
}

/** Who serves others must not start, or go on to, credentials that all of them would refuse. */
export function refuseWarnings(warnings: readonly CredentialsWarning[]): void {
  const [first] = warnings;
  if (first !== undefined) throw new CredentialsError(first.reason, first.message, { file: first.file });
}
