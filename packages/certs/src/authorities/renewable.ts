/** Which certificates an authority doesn't renew, with one answer for its server, the command and programs. */
import type { X509Certificate } from '@knsock/core/x509';

/** What is known of a certificate. */
export interface Standing {
  readonly revoked: { readonly at: Date; readonly reason: string } | undefined;
  /** The first of its names that is barred from renewal. */
  readonly barred: string | undefined;
}

export interface RenewalRefusal {
  readonly reason: 'revoked' | 'barred';
  /** The rest of a sentence that begins with the certificate. */
  readonly message: string;
  readonly hint: string;
}

/** undefined: it may be renewed, as far as this goes. */
export function renewalRefusal({ revoked, barred }: Standing): RenewalRefusal | undefined {
  if (revoked !== undefined)
    return {
      reason: 'revoked',
      message: `is revoked: ${revoked.reason}, at ${revoked.at.toISOString()}`,
      hint: 'A revoked certificate is not renewed. If its holder can be trusted again, issue a new one.',
    };
  if (barred !== undefined)
    return {
      reason: 'barred',
      message: `isn't renewed: "${barred}" is barred from renewal`,
      hint: 'barRenewal with barred: false admits the name again (the command: knsock certs token --unbar NAME).',
    };
  return undefined;
}

/** The names by which a certificate can be barred. */
export function barrableNames(certificate: X509Certificate): string[] {
  const { dnsNames, ipAddresses, uris, emailAddresses, subject } = certificate;
  return [...dnsNames, ...ipAddresses, ...uris, ...emailAddresses, ...subject.commonNames];
}
