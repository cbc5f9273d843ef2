/** Rules for whether clients can verify the chain. */
import type { EndpointRule, RuleText, VerificationRule } from '../rule.js';

const text: RuleText = {
  id: 'verification',
  title: 'clients that trust the CA can verify it',
  severities: ['error'],
  why: 'If verification fails, people disable it, and then anyone can impersonate the server.',
  fix: 'Give clients the CA that issued it, and issue it for the name they use: knsock certs verify shows details.',
};

export const verification: VerificationRule = {
  ...text,
  check: ({ verdict }) => (verdict.ok ? null : { severity: 'error', evidence: verdict.words }),
};

export const endpointVerification: EndpointRule = {
  ...text,
  check: ({ verdict }) => (verdict.ok ? null : { severity: 'error', evidence: verdict.words }),
};
