import type { EndpointRule } from '../rule.js';

const WEAK = /^secp(192|224)r1$/;

export const groups: EndpointRule = {
  id: 'groups',
  title: 'elliptic-curve groups are of 256 bits or more',
  severities: ['warning'],
  why: 'Smaller curves give less than 128 bits of security.',
  fix: 'Allow X25519, P-256 and P-384 only.',
  check: ({ versions }) => {
    const all = new Set(versions.flatMap((one) => one.groups));
    const weak = [...all].filter((group) => WEAK.test(group));
    return weak.length === 0 ? null : { severity: 'warning', evidence: `it accepts ${weak.join(', ')}` };
  },
};
