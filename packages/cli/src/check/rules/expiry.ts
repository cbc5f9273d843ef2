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
  check: ({ chain, own, at }) => {
    const dated =
      own?.warnings.filter(({ reason }) => reason === 'expired' || reason === 'not-yet-valid') ?? [];
    const past = dated.find(({ fatal }) => fatal) ?? dated[0];
    if (past?.fatal === true) return { severity: 'error', evidence: past.message };
    if (past !== undefined) {
      const evidence = `${past.message}; clients that have another certificate of that CA ignore it`;
      return { severity: 'warning', evidence };
    }
    for (const certificate of own?.chain ?? chain) {
      const { notBefore, notAfter, subject } = certificate;
      const name = subject.toString();
      if (at > notAfter)
        return { severity: 'error', evidence: `${name} expired on ${notAfter.toISOString()}` };
      if (at < notBefore)
        return { severity: 'error', evidence: `${name} isn’t valid before ${notBefore.toISOString()}` };
      const days = Math.floor((notAfter.getTime() - at.getTime()) / DAY);
      const life = (notAfter.getTime() - notBefore.getTime()) / DAY;
      if (days < Math.min(SOON_DAYS, life * LAST_PART))
        return { severity: 'warning', evidence: `${name} expires in ${days} days` };
    }
    return null;
  },
};
