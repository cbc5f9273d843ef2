import type { EndpointRule } from '../rule.js';

export const renegotiation: EndpointRule = {
  id: 'renegotiation',
  title: 'clients can’t renegotiate',
  severities: ['warning'],
  why: 'A client that renegotiates in a loop costs the server far more than the client.',
  fix: 'Disable renegotiation (SSL_OP_NO_RENEGOTIATION), or allow only TLS 1.3.',
  check: ({ renegotiation: allowed }) =>
    allowed ? { severity: 'warning', evidence: 'it renegotiated at the client’s wish' } : null,
};
