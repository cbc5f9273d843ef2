import type { ChainRule } from '../rule.js';

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
