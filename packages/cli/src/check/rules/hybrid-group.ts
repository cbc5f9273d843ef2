import type { EndpointRule } from '../rule.js';

export const hybridGroup: EndpointRule = {
  id: 'hybrid-group',
  title: 'keys are exchanged safely from future quantum computers',
  why: 'What is recorded today could be opened later; X25519MLKEM768 prevents that.',
  fix: 'Run the server on Node 22 or later, or OpenSSL 3.5 or later; knsock offers the group where it is there.',
  check: ({ hybridGroup }) =>
    hybridGroup === false ? { severity: 'notice', evidence: 'it doesn’t negotiate X25519MLKEM768' } : null,
};
