/** Lints certificates; each finding says what to do. */
import { printable } from '@knsock/core/errors';
import { checkOptions, date } from '@knsock/core/options';
import type { X509Certificate } from '@knsock/core/x509';
import { orderFindings, refusal } from './chain-rules.js';
import { authorityRules, certificateRules, leafRules, type LintRule } from './lint-rules.js';
import type { Finding } from './finding.js';
import { readCertificates, type Source } from '../files/source.js';

/** Options of `lint`. */
export interface LintOptions {
  /** The time at which dates are checked; default now. */
  readonly at?: Date | undefined;
}

/**
 * Lints a certificate or a chain as a server would send it.
 * @throws CertificateError if the source can't be read.
 */
export async function lint(source: Source, options: LintOptions = {}): Promise<Finding[]> {
  checkOptions(options, { at: date });
  return lintCertificates(await readCertificates(source), options.at ?? new Date());
}

/** The same for certificates that were read already. */
export function lintCertificates(certificates: readonly X509Certificate[], at: Date): Finding[] {
  const refused = refusal(certificates, at);
  const found = [
    ...certificates.flatMap((certificate, index) => lintOne(certificate, index, at)),
    ...orderFindings(certificates),
    ...(refused === undefined ? [] : [refused]),
  ];
  return found.map((finding) => ({ ...finding, message: printable(finding.message) }));
}

function lintOne(certificate: X509Certificate, index: number, at: Date): Finding[] {
  const isAuthority = certificate.basicConstraints?.ca === true;
  const rules: readonly LintRule[] = [...certificateRules, ...(isAuthority ? authorityRules : leafRules)];
  return rules.flatMap(({ rule, severity, fix, check }) => {
    const message = check(certificate, at);
    return message === undefined ? [] : [{ rule, severity, index, message, fix }];
  });
}
