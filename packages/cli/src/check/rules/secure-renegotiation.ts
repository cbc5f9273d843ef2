import type { EndpointRule } from '../rule.js';

export const secureRenegotiation: EndpointRule = {
  id: 'secure-renegotiation',
  title: 'the server supports secure renegotiation',
  severities: ['error'],
  why: 'Otherwise an attacker in the middle can insert data before that of a client (RFC 5746).',
  fix: 'Update the server’s TLS library.',
  check: ({ secureRenegotiation: marked }) =>
    marked === false ? { severity: 'error', evidence: 'its ServerHello has no renegotiation_info' } : null,
};
