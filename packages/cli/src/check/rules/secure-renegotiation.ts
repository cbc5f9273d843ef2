import type { EndpointRule } from '../rule.js';

export const secureRenegotiation: EndpointRule = {
  id: 'secure-renegotiation',
  title: 'the server marks its handshakes against spliced renegotiation',
  severities: ['error'],
  why: 'Otherwise somebody between can put words of their own before a client’s (RFC 5746).',
  fix: 'Update the server’s TLS library.',
  check: ({ secureRenegotiation: marked }) =>
    marked === false ? { severity: 'error', evidence: 'its ServerHello has no renegotiation_info' } : null,
};
