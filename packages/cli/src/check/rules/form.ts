import { validatePath } from '@knsock/core/x509';
import type { ChainRule } from '../rule.js';

export const form: ChainRule = {
  id: 'form',
  title:
    'no certificate contradicts itself, has an unknown critical extension or signs what it must not sign',
  severities: ['error'],
  why: 'RFC 5280 requires verifiers to refuse such a certificate: knsock and strict OpenSSL do, others may in the future.',
  fix: 'Reissue it without that: knsock certs inspect FILE shows its extensions.',
  check: ({ chain: [leaf], own, at }) => {
    const refused = own?.warnings.find(({ reason }) => reason === 'refused');
    if (refused !== undefined) return { severity: 'error', evidence: refused.message };
    if (own !== null || leaf === undefined) return null;
    const verdict = validatePath([leaf], { usage: 'server', at });
    return verdict.ok || verdict.reason !== 'malformed'
      ? null
      : { severity: 'error', evidence: verdict.message };
  },
};
