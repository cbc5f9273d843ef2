import type { EndpointRule } from '../rule.js';

const LEAST_BITS = 2_048;

export const dhParameters: EndpointRule = {
  id: 'dh-parameters',
  title: 'finite-field key exchange has 2,048 bits or more',
  severities: ['error'],
  why: 'Primes of 1,024 bits are in reach of states, and often shared by thousands of servers (Logjam).',
  fix: 'Switch DHE suites off, or give the server parameters of 2,048 bits or more.',
  check: ({ dhBits }) =>
    dhBits !== null && dhBits < LEAST_BITS
      ? { severity: 'error', evidence: `its prime has ${dhBits.toLocaleString('en')} bits` }
      : null,
};
