import type { EndpointRule } from '../rule.js';

export const endpointVerification: EndpointRule = {
  id: 'verification',
  title: 'who is told to trust it can verify it',
  severities: ['error'],
  why: 'Where verification fails people switch it off, and then anybody can be the server.',
  fix: 'Give clients the CA that issued it, and have it carry the name they use: knsock certs verify tells more.',
  check: ({ verdict }) => (verdict.ok ? null : { severity: 'error', evidence: verdict.words }),
};
