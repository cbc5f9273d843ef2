import { unmatchableNames } from '@knsock/core/x509';
import type { ChainRule } from '../rule.js';

/** id-kp-clientAuth (RFC 5280 4.2.1.12). */
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';

export const names: ChainRule = {
  id: 'names',
  title: 'the certificate has its names as subjectAltName, each in a form that clients can match',
  severities: ['error', 'warning'],
  why: 'Clients use only subjectAltName; they never match a name that is only in the common name, or one with a scheme or a port, or an address written as a DNS name.',
  fix: 'Issue it with its names: knsock certs issue NAME ….',
  check: ({ chain: [leaf] }) => {
    if (leaf === undefined || leaf.basicConstraints?.ca === true) return null;
    const named = (leaf.subjectAltNames ?? []).length > 0;
    const isClient = leaf.extendedKeyUsage?.length === 1 && leaf.extendedKeyUsage[0] === CLIENT_AUTH;
    if (!named && !isClient)
      return { severity: 'error', evidence: `${leaf.subject.toString()} has no subjectAltName` };
    const [first, ...more] = unmatchableNames(leaf);
    if (first === undefined) return null;
    const severity = more.length + 1 === leaf.subjectAltNames?.length ? 'error' : 'warning';
    return { severity, evidence: `no client can match the name "${first.name}": it ${first.problem}` };
  },
};
