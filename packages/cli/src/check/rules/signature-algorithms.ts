import type { EndpointRule } from '../rule.js';

export const signatureAlgorithms: EndpointRule = {
  id: 'signature-algorithms',
  title: 'handshakes aren’t signed with SHA-1',
  why: 'SHA-1 collisions are affordable, so such a signature proves little.',
  fix: 'Allow signatures with SHA-256 or better only.',
  check: ({ sha1Signatures }) =>
    sha1Signatures ? { severity: 'error', evidence: 'it signs with SHA-1 when asked to' } : null,
};
