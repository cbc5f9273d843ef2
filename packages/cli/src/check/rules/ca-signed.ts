import type { ChainRule } from '../rule.js';

export const caSigned: ChainRule = {
  id: 'ca-signed',
  title: 'the certificate is issued by a CA',
  severities: ['warning'],
  why: 'A self-signed certificate can only be trusted one by one: it can’t be revoked, and replacing it requires a change on every client.',
  fix: 'Issue it with your own CA: knsock certs ca, then knsock certs issue.',
  check: ({ chain: [leaf], isShown }) =>
    leaf?.isSelfIssued === true && (isShown || leaf.basicConstraints?.ca !== true)
      ? { severity: 'warning', evidence: `${leaf.subject.toString()} is signed by itself` }
      : null,
};
