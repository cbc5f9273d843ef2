import type { X509Certificate } from '@knsock/core/x509';
import type { ChainRule } from '../rule.js';

const DAY = 86_400_000;
/** A certificate that lives for months should be renewed by now; one that lives for days by the last third of them. */
const SOON_DAYS = 30;
const LAST_PART = 1 / 3;

export const expiry: ChainRule = {
  id: 'expiry',
  title: 'every certificate is valid now, and stays so for a while',
  severities: ['error', 'warning'],
  why: 'An expired certificate stops all connections at once.',
  fix: 'Renew it now (knsock certs renew), and monitor it (knsock certs expiry in cron).',
  check: ({ chain, at }) => {
    for (const [index, certificate] of chain.entries()) {
      const { notBefore, notAfter, subject } = certificate;
      const name = subject.toString();
      const days = Math.floor((notAfter.getTime() - at.getTime()) / DAY);
      if (at > notAfter && isPassedOver(chain, index, at)) {
        const evidence = `${name} expired on ${notAfter.toISOString()}; clients that have another certificate of that CA pass it over`;
        return { severity: 'warning', evidence };
      }
      if (at > notAfter)
        return { severity: 'error', evidence: `${name} expired on ${notAfter.toISOString()}` };
      if (at < notBefore)
        return { severity: 'error', evidence: `${name} isn’t valid before ${notBefore.toISOString()}` };
      const life = (notAfter.getTime() - notBefore.getTime()) / DAY;
      if (days < Math.min(SOON_DAYS, life * LAST_PART))
        return { severity: 'warning', evidence: `${name} expires in ${days} days` };
    }
    return null;
  },
};

/** Above the issuing CA clients mostly have certificates of their own; of the issuing CA itself another must be there. */
function isPassedOver(chain: readonly X509Certificate[], index: number, at: Date): boolean {
  const [leaf, ...others] = chain;
  const expired = chain[index];
  if (leaf === undefined || expired === undefined || expired === leaf) return false;
  const issuers = others.filter(({ subject }) => leaf.issuer.equals(subject));
  return (
    !issuers.includes(expired) || issuers.some(({ notBefore, notAfter }) => at <= notAfter && at >= notBefore)
  );
}
