/** When a certificate is due for renewal: pure arithmetic on its dates. */
import { date, fraction, readAllOptions, withDefault, type OptionReaders } from '@knsock/core/options';
import type { X509Certificate } from '@knsock/core/x509';
import { CertificateError } from '../errors.js';
import { readCertificates, type Source } from '../files/source.js';

/** Certificates are renewed after this fraction of their validity. */
export const RENEW_AT = 2 / 3;
/** The moment is spread over this fraction of their validity, so that a fleet doesn't renew all at once. */
const SPREAD = 1 / 20;

/** When to renew. */
export interface RenewalRule {
  /** After this fraction of its validity, between 0 and 1; default 2/3. */
  readonly renewAt?: number | undefined;
  /** The time of validation; default now. */
  readonly at?: Date | undefined;
}

/** How each of them is read, and its default. */
export const renewalRuleOptions = {
  renewAt: withDefault<number>(fraction, RENEW_AT),
  at: date<Date | undefined>,
} as const satisfies OptionReaders<RenewalRule>;

/** The result of `needsRenewal`. */
export interface RenewalNeed {
  /** Whether it should be renewed now. */
  readonly due: boolean;
  /** From when on it is due; undefined if the certificate can't be read. */
  readonly dueAt: Date | undefined;
  /** When it expires; undefined if there is none yet. */
  readonly notAfter: Date | undefined;
  /** As `step certificate needs-renewal` exits: 0 due, 1 not due, 2 no such file, 255 anything else. */
  readonly exitCode: 0 | 1 | 2 | 255;
  /** Why it couldn't be read. */
  readonly error: CertificateError | undefined;
}

/** Whether the first certificate of a source is due; a source that can't be read is a result too. */
export async function needsRenewal(source: Source, rule: RenewalRule = {}): Promise<RenewalNeed> {
  const { renewAt, at = new Date() } = readAllOptions(rule, renewalRuleOptions);
  try {
    const [leaf] = await readCertificates(source);
    const dueAt = renewalDate(leaf as X509Certificate, renewAt);
    const due = at >= dueAt;
    return { due, dueAt, notAfter: leaf?.notAfter, exitCode: due ? 0 : 1, error: undefined };
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    const exitCode = error.code === 'KNSOCK_CERTIFICATE_NOT_FOUND' ? 2 : 255;
    return { due: false, dueAt: undefined, notAfter: undefined, exitCode, error };
  }
}

/**
 * The moment from which a certificate is due. Its jitter comes from its fingerprint, so that every check of one
 * certificate agrees and no state is kept.
 */
export function renewalDate(certificate: X509Certificate, renewAt: number): Date {
  const [start, end] = [certificate.notBefore.getTime(), certificate.notAfter.getTime()];
  const jitter = Number.parseInt(certificate.fingerprint256.slice(0, 8), 16) / 2 ** 32 - 0.5;
  return new Date(start + (end - start) * (renewAt + jitter * SPREAD));
}
