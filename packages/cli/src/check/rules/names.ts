import type { ChainRule } from '../rule.js';

/** id-kp-clientAuth (RFC 5280 4.2.1.12). */
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';

export const names: ChainRule = {
  id: 'names',
  title: 'the certificate says its names as subjectAltName',
  severities: ['error'],
  why: 'Clients look at subjectAltName alone; a name that stands in the common name only fits nobody.',
  fix: 'Issue it with its names: knsock certs issue NAME ….',
  check: ({ chain: [leaf] }) => {
    if (leaf === undefined || leaf.basicConstraints?.ca === true) return null;
    const named = (leaf.subjectAltNames ?? []).length > 0;
    const isClient = leaf.extendedKeyUsage?.length === 1 && leaf.extendedKeyUsage[0] === CLIENT_AUTH;
    return named || isClient
      ? null
      : { severity: 'error', evidence: `${leaf.subject.toString()} has no subjectAltName` };
  },
};
