/** Rules for the validity of certificates and revocation lists. */
import { spanInWords } from '@knsock/core/options';
import { excessiveDays, LEAF_MAX_DAYS } from '@knsock/core/x509';
import type { ChainRule, ListRule } from '../rule.js';

const DAY = 86_400_000;

/** The days left, if they are fewer than the given days and than the given fraction of the validity. */
function daysLeft(from: Date, until: Date, at: Date, soon: Soon): number | undefined {
  const days = (until.getTime() - at.getTime()) / DAY;
  const life = (until.getTime() - from.getTime()) / DAY;
  return days < Math.min(soon.days, life * soon.part) ? days : undefined;
}

interface Soon {
  readonly days: number;
  readonly part: number;
}

/** A certificate valid for months should be renewed by now; one valid for days in its last third. */
const RENEWAL_DUE: Soon = { days: 30, part: 1 / 3 };

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
    if (past !== undefined) {
      const passed = '; clients that have another certificate of that CA ignore it';
      return { severity: past.severity, evidence: past.fatal ? past.message : past.message + passed };
    }
    for (const certificate of own?.chain ?? chain) {
      const { notBefore, notAfter, subject } = certificate;
      const name = subject.toString();
      if (at > notAfter)
        return { severity: 'error', evidence: `${name} expired on ${notAfter.toISOString()}` };
      if (at < notBefore)
        return { severity: 'error', evidence: `${name} isn't valid before ${notBefore.toISOString()}` };
      const days = daysLeft(notBefore, notAfter, at, RENEWAL_DUE);
      if (days !== undefined)
        return { severity: 'warning', evidence: `${name} expires in ${spanInWords(days * DAY)}` };
    }
    return null;
  },
};

export const rotation: ChainRule = {
  id: 'rotation',
  title: 'the validity is short enough for regular replacement',
  severities: ['warning'],
  why: 'A certificate valid for years is only replaced when it fails; a short validity keeps renewal in practice.',
  fix: 'Issue for 90 days and renew by cron (knsock certs renew); servers of knsock load new files by themselves (watchCredentials).',
  check: ({ chain: [leaf] }) => {
    if (leaf === undefined || leaf.basicConstraints?.ca === true) return null;
    const days = excessiveDays(leaf);
    if (days === undefined) return null;
    const evidence = `it is valid for ${days.toLocaleString('en')} days, over ${LEAF_MAX_DAYS}`;
    return { severity: 'warning', evidence };
  },
};

/** A list valid for a week should be replaced before its last two days, one valid for months before its last week. */
const LIST_DUE: Soon = { days: 7, part: 1 / 4 };

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
        return { severity: 'error', evidence: `${list} isn't valid before ${thisUpdate.toISOString()}` };
      if (nextUpdate === undefined)
        return { severity: 'error', evidence: `${list} doesn't say when the next one is due` };
      if (at > nextUpdate)
        return { severity: 'error', evidence: `${list} was to be replaced by ${nextUpdate.toISOString()}` };
      if (daysLeft(thisUpdate, nextUpdate, at, LIST_DUE) !== undefined)
        return { severity: 'warning', evidence: `${list} is to be replaced by ${nextUpdate.toISOString()}` };
    }
    return null;
  },
};

export const revocation: ChainRule = {
  id: 'revocation',
  title: 'a revocation list exists',
  severities: ['notice'],
  why: 'Without a list a stolen key can be used until its certificate expires.',
  fix: 'Publish a list (knsock certs crl), name it in certificates (--crl-url), and load it where peers are verified (--crl).',
  check: ({ chain: [leaf], hasCrl }) => {
    if (leaf === undefined || leaf.isSelfIssued || hasCrl || (leaf.crlDistributionPoints ?? []).length > 0)
      return null;
    return { severity: 'notice', evidence: 'no list is given, and the certificate names none' };
  },
};
