import type { ChainRule } from '../rule.js';

export const caSigned: ChainRule = {
  id: 'ca-signed',
  title: 'the certificate is issued by a CA',
  severities: ['warning'],
  why: 'A self-signed certificate can only be trusted one by one: it can neither be revoked nor replaced without touching every client.',
  fix: 'Issue it by a CA of your own: knsock certs ca, then knsock certs issue.',
  check: ({ chain: [leaf], isShown }) =>
    leaf?.isSelfIssued === true && (isShown || leaf.basicConstraints?.ca !== true)
      ? { severity: 'warning', evidence: `${leaf.subject.toString()} is signed by itself` }
      : null,
};
