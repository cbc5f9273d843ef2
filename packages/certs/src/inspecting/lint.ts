/** Lints certificates; each finding says what to do. */
import { printable } from '@knsock/core/errors';
import { date, readAllOptions, type OptionReaders } from '@knsock/core/options';
import { allCertificates, type X509Certificate } from '@knsock/core/x509';
import { authorityFindings, chainFindings, sentChain, severityIn, type SentChain } from './chain-rules.js';
import { authorityRules, certificateRules, leafRules, type LintRule } from './lint-rules.js';
import type { Finding, RuleFinding } from './finding.js';
import { openingReaders, readChains, type Source, type SourceOpening } from '../files/source.js';

/** Options of `lint`. */
export interface LintOptions extends SourceOpening {
  /** The time at which dates are checked; default now. */
  readonly at?: Date | undefined;
}

/** How each of them is read. */
export const lintOptions = {
  ...openingReaders,
  at: date<Date | undefined>,
} as const satisfies OptionReaders<LintOptions>;

/**
 * Lints a certificate or a chain as a server would send it; of a PKCS#12 file each key's chain, and what else is in it.
 * @throws CertificateError if the source can't be read.
 */
export async function lint(source: Source, options: LintOptions = {}): Promise<Finding[]> {
  const { at = new Date(), ...opening } = readAllOptions(options, lintOptions);
  const found = await readChains(source, opening);
  return lintChains(allCertificates(found), found.chains, at);
}

/** The same for a chain that was read already. */
export function lintCertificates(certificates: readonly X509Certificate[], at: Date): Finding[] {
  return lintChains(certificates, [certificates], at);
}

/** @param chains of the certificates, which findings count by their place among all */
function lintChains(
  certificates: readonly X509Certificate[],
  chains: readonly (readonly X509Certificate[])[],
  at: Date,
): Finding[] {
  const sent = chains.map((chain) => sentChain(chain, at));
  const found = [
    ...certificates.flatMap((certificate, index) => {
      const chain = sent.find((one) => one?.given.includes(certificate));
      return lintOne(certificate, at, chain).map((one) => ({ ...one, position: index + 1 }));
    }),
    ...chains.flatMap((chain, index) => {
      const whole = sent[index];
      const ofChain = whole === undefined ? authorityFindings(chain) : chainFindings(whole);
      const placeOf = (position: number) => certificates.indexOf(chain[position - 1] as X509Certificate) + 1;
      return ofChain.map((one) => ({ ...one, position: placeOf(one.position) }));
    }),
  ];
  const of = certificates.length;
  return found.map((finding) => ({ ...finding, of, message: printable(finding.message) }));
}

function lintOne(
  certificate: X509Certificate,
  at: Date,
  chain: SentChain | undefined,
): Omit<RuleFinding, 'position'>[] {
  const isIssuer = chain !== undefined && chain.own.chain.indexOf(certificate) > 0;
  const isAuthority = isIssuer || certificate.basicConstraints?.ca === true;
  const rules: readonly LintRule[] = [...certificateRules, ...(isAuthority ? authorityRules : leafRules)];
  return rules.flatMap(({ rule, severity: grade, fix, check }) => {
    const message = check(certificate, at);
    if (message === undefined) return [];
    const alone = typeof grade === 'function' ? grade(certificate) : grade;
    const severity = chain === undefined ? alone : severityIn(chain, certificate, rule, alone);
    return severity === undefined ? [] : [{ rule, severity, message, fix }];
  });
}
