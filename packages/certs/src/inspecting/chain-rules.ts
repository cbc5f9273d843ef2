/** Lint rules for chains: order, how the certificates match, and what knsock itself refuses in them. */
import {
  arrangeOwnChain,
  formFault,
  mayHaveIssued,
  type OwnChain,
  type OwnChainWarning,
  type Severity,
  type X509Certificate,
} from '@knsock/core/x509';
import type { RuleFinding } from './finding.js';

/** A chain as a server or client would send it; CA certificates alone are none. */
export interface SentChain {
  readonly given: readonly X509Certificate[];
  readonly own: OwnChain;
}

/** Undefined for CA certificates alone, which nobody sends. */
export function sentChain(given: readonly X509Certificate[], at: Date): SentChain | undefined {
  if (given.every(({ basicConstraints }) => basicConstraints?.ca === true)) return undefined;
  return { given, own: arrangeOwnChain(given, { file: undefined, anchors: [], now: at.getTime() }) };
}

/** The rules whose severity depends on whether another certificate of the chain can stand in for one. */
const reasonOf: Readonly<Record<string, OwnChainWarning['reason']>> = {
  'weak-key': 'weak',
  'weak-signature': 'weak',
  expired: 'expired',
  'not-yet-valid': 'not-yet-valid',
};

/**
 * The severity of a finding about one certificate in its chain; undefined where it isn't used there.
 * @param alone what it is without a chain
 */
export function severityIn(
  { given, own }: SentChain,
  certificate: X509Certificate,
  rule: string,
  alone: Severity,
): Severity | undefined {
  const reason = reasonOf[rule];
  if (reason === undefined || certificate === given[0]) return alone;
  const isIt = (one: X509Certificate | undefined): boolean => one?.der.equals(certificate.der) === true;
  return own.warnings.find((one) => one.reason === reason && isIt(given[one.position - 1]))?.severity;
}

/** What is wrong with the chain as such. */
export function chainFindings({ given, own }: SentChain): RuleFinding[] {
  const roots = given.flatMap((one, index) => (index > 0 && one.isSelfIssued ? [rootSent(index)] : []));
  return [...own.warnings.flatMap((warning) => findingOf(warning, given) ?? []), ...roots];
}

function findingOf(
  { reason, cause, severity, position, problem }: OwnChainWarning,
  given: readonly X509Certificate[],
): RuleFinding | undefined {
  if (reason === 'chain')
    return neighbourFinding(given, position, severity) ?? outOfPlace(position, severity, problem);
  if (reason !== 'refused') return undefined;
  // Rules of their own say what a leaf isn't for, and purposes other than TLS are no error.
  if (cause === 'wrong-usage' && position === 1 && given[0]?.basicConstraints?.ca !== true) return undefined;
  return refused(position, `knsock refuses it (${cause}): ${problem}`);
}

function outOfPlace(position: number, severity: Severity, problem: string): RuleFinding {
  const fix = 'Order the file leaf first, then each issuer, each of them once: fullChain does.';
  return { rule: 'chain-order', severity, position, message: `it ${problem}`, fix };
}

/** Why one that bears the name of the issuer of the one before it hasn't issued that. */
function neighbourFinding(
  given: readonly X509Certificate[],
  position: number,
  severity: Severity,
): RuleFinding | undefined {
  const [certificate, next] = given.slice(position - 2);
  if (position === 1 || certificate === undefined || next === undefined) return undefined;
  if (certificate.isSelfIssued || !certificate.issuer.equals(next.subject)) return undefined;
  const fix = 'Put the certificate after it that its issuer had when it was issued, or have it reissued.';
  const at = { severity, position: position - 1, fix };
  const wanted = certificate.authorityKeyIdentifier?.keyIdentifier?.toString('hex');
  const shown = next.subjectKeyIdentifier?.toString('hex');
  if (wanted !== undefined && shown !== undefined && wanted !== shown) {
    const message = `it names ${wanted} as its issuer's key, and the next certificate's key identifier is ${shown}`;
    return { rule: 'key-identifiers', message, ...at };
  }
  return mayHaveIssued(next, certificate)
    ? undefined
    : {
        rule: 'chain-signature',
        message: "it isn't signed by the key of the certificate that follows",
        ...at,
      };
}

function rootSent(index: number): RuleFinding {
  const message = 'the root is sent along, which no peer needs';
  return {
    rule: 'root-in-chain',
    severity: 'notice',
    position: index + 1,
    message,
    fix: 'Leave it out: fullChain(…, { root: false }).',
  };
}

/** What is wrong with the form of CA certificates that aren't part of a chain. */
export function authorityFindings(certificates: readonly X509Certificate[]): RuleFinding[] {
  return certificates.flatMap((certificate, index) => {
    const problem = formFault(certificate);
    return problem === undefined ? [] : [refused(index + 1, `knsock refuses it (malformed): ${problem}`)];
  });
}

function refused(position: number, message: string): RuleFinding {
  return { rule: 'refused', severity: 'error', position, message, fix: 'Have it reissued without that.' };
}
