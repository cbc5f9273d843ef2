import type { EndpointRule } from '../rule.js';

export const endpointVerification: EndpointRule = {
  id: 'verification',
  title: 'clients that trust the CA can verify it',
  severities: ['error'],
  why: 'If verification fails, people disable it, and then anyone can impersonate the server.',
  fix: 'Give clients the CA that issued it, and issue it for the name they use: knsock certs verify shows details.',
  check: ({ verdict }) => (verdict.ok ? null : { severity: 'error', evidence: verdict.words }),
};
