import { validatePath } from '@knsock/core/x509';
import type { ChainRule } from '../rule.js';

/** id-kp-serverAuth (RFC 5280 4.2.1.12). */
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';

export const form: ChainRule = {
  id: 'form',
  title: 'no certificate contradicts itself or has an unknown critical extension',
  severities: ['error'],
  why: 'RFC 5280 requires verifiers to refuse such a certificate: knsock and strict OpenSSL do, others may in the future.',
  fix: 'Reissue it without that: knsock certs inspect FILE shows its extensions.',
  check: ({ chain: [leaf], at }) => {
    if (leaf === undefined) return null;
    const usage = leaf.extendedKeyUsage?.includes(SERVER_AUTH) === false ? 'client' : 'server';
    const verdict = validatePath([leaf], { usage, at });
    return verdict.ok || verdict.reason !== 'malformed'
      ? null
      : { severity: 'error', evidence: verdict.message };
  },
};
