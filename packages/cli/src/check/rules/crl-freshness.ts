import type { ListRule } from '../rule.js';

const DAY = 86_400_000;
/** A list that lives a week should be replaced by the last two days, one that lives for months by its last week. */
const SOON_DAYS = 7;
const LAST_PART = 1 / 4;

export const crlFreshness: ListRule = {
  id: 'crl-freshness',
  title: 'every revocation list is current, and stays so for a while',
  severities: ['error', 'warning'],
  why: 'A verifier with an overdue list refuses every peer, or misses later revocations.',
  fix: 'Sign a new list (knsock certs crl), daily by cron, and distribute it to the verifiers.',
  check: ({ crls, at }) => {
    for (const { issuer, thisUpdate, nextUpdate } of crls) {
      const list = `the list of ${issuer.toString()}`;
      if (at < thisUpdate)
        return { severity: 'error', evidence: `${list} isn’t valid before ${thisUpdate.toISOString()}` };
      if (nextUpdate === undefined)
        return { severity: 'error', evidence: `${list} doesn’t say when the next one is due` };
      if (at > nextUpdate)
        return { severity: 'error', evidence: `${list} was to be replaced by ${nextUpdate.toISOString()}` };
      const days = (nextUpdate.getTime() - at.getTime()) / DAY;
      const life = (nextUpdate.getTime() - thisUpdate.getTime()) / DAY;
      if (days < Math.min(SOON_DAYS, life * LAST_PART))
        return { severity: 'warning', evidence: `${list} is to be replaced by ${nextUpdate.toISOString()}` };
    }
    return null;
  },
};
