/** Lint rules for chains: order, how the certificates match, and what knsock itself refuses in them. */
import { validatePath, mayHaveIssued, type X509Certificate } from '@knsock/core/x509';
import { isFor } from './lint-rules.js';
import type { RuleFinding } from './finding.js';

/** Rules for two neighbours in the chain. */
export function orderFindings(certificates: readonly X509Certificate[]): RuleFinding[] {
  return certificates.flatMap((certificate, index) => {
    const next = certificates[index + 1];
    const found = next === undefined ? undefined : neighbourFinding(certificate, next, index);
    const isRoot = index > 0 && certificate.isSelfIssued;
    return [...(found === undefined ? [] : [found]), ...(isRoot ? [rootSent(index)] : [])];
  });
}

function neighbourFinding(
  certificate: X509Certificate,
  next: X509Certificate,
  index: number,
): RuleFinding | undefined {
  const error = (rule: string, message: string, fix: string): RuleFinding => ({
    ...{ rule, severity: 'error', position: index + 1, message, fix },
  });
  if (!certificate.issuer.equals(next.subject)) {
    const message = `it was issued by ${certificate.issuer.toString()}, and ${next.subject.toString()} follows`;
    return error('chain-order', message, 'Order the file leaf first, then each issuer: fullChain does.');
  }
  const fix = 'Put the certificate after it that its issuer had when it was issued, or have it reissued.';
  const wanted = certificate.authorityKeyIdentifier?.keyIdentifier?.toString('hex');
  const shown = next.subjectKeyIdentifier?.toString('hex');
  if (wanted !== undefined && shown !== undefined && wanted !== shown) {
    const message = `it names ${wanted} as its issuer's key, and the next certificate's key identifier is ${shown}`;
    return error('key-identifiers', message, fix);
  }
  return mayHaveIssued(next, certificate)
    ? undefined
    : error('chain-signature', "it isn't signed by the key of the certificate that follows", fix);
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

/** Reasons that other rules explain better; purposes other than TLS are no error. */
const toldElsewhere = new Set<string>(['expired', 'not-yet-valid', 'wrong-usage']);

/** What knsock refuses on a connection with any trust anchor; undefined for nothing. */
export function refusal(certificates: readonly X509Certificate[], at: Date): RuleFinding | undefined {
  const path = linked(certificates);
  const [leaf] = path;
  if (leaf === undefined) return undefined;
  const verdict = validatePath(path, { usage: isFor(leaf, 'server') ? 'server' : 'client', at });
  if (verdict.ok || (verdict.position === 1 && toldElsewhere.has(verdict.reason))) return undefined;
  if (verdict.reason === 'weak' || verdict.reason === 'expired' || verdict.reason === 'not-yet-valid')
    return undefined;
  if (leaf.basicConstraints?.ca === true && verdict.reason !== 'malformed') return undefined;
  const message = `knsock refuses it (${verdict.reason}): ${verdict.message}`;
  return {
    rule: 'refused',
    severity: 'error',
    position: verdict.position,
    message,
    fix: 'Have it reissued without that.',
  };
}

/** The certificates from the first on that name each other. */
function linked(certificates: readonly X509Certificate[]): readonly X509Certificate[] {
  const end = certificates.findIndex((one, index) => {
    const next = certificates[index + 1];
    return next === undefined || !one.issuer.equals(next.subject);
  });
  return certificates.slice(0, end + 1);
}
