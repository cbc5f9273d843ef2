import type { ChainRule } from '../rule.js';

const DAY = 86_400_000;
/** What browsers and Apple accept, and what shows that somebody renews. */
const MOST_DAYS = 398;

export const rotation: ChainRule = {
  id: 'rotation',
  title: 'the validity is short enough for regular replacement',
  severities: ['warning'],
  why: 'A certificate valid for years is only replaced when it fails; a short validity keeps renewal in practice.',
  fix: 'Issue for 90 days and renew by cron (knsock certs renew); servers load new files on SIGHUP or with watchCredentials.',
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
