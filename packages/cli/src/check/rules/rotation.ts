import type { ChainRule } from '../rule.js';

const DAY = 86_400_000;
/** What browsers and Apple accept, and what shows that somebody renews. */
const MOST_DAYS = 398;

export const rotation: ChainRule = {
  id: 'rotation',
  title: 'the certificate lives short enough to be replaced regularly',
  severities: ['warning'],
  why: 'A certificate of many years is never replaced until it breaks; a short life keeps renewal in practice.',
  fix: 'Issue for 90 days and renew by cron (knsock certs renew); servers take new files on SIGHUP or watchCredentials.',
  check: ({ chain: [leaf] }) => {
    if (leaf === undefined || leaf.basicConstraints?.ca === true) return null;
    const days = Math.round((leaf.notAfter.getTime() - leaf.notBefore.getTime()) / DAY);
    return days <= MOST_DAYS
      ? null
      : {
          severity: 'warning',
          evidence: `it is valid for ${days.toLocaleString('en')} days, over ${MOST_DAYS}`,
        };
  },
};
