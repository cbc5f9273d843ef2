import type { EndpointRule } from '../rule.js';

const LEAST_BITS = 2_048;

export const dhParameters: EndpointRule = {
  id: 'dh-parameters',
  title: 'finite-field key exchange has 2,048 bits or more',
  severities: ['error'],
  why: 'Primes of 1,024 bits can be broken by state attackers, and many servers share the same ones (Logjam).',
  fix: 'Disable DHE suites, or configure parameters of 2,048 bits or more.',
  check: ({ dhBits }) =>
    dhBits !== null && dhBits < LEAST_BITS
      ? { severity: 'error', evidence: `its prime has ${dhBits.toLocaleString('en')} bits` }
      : null,
};
