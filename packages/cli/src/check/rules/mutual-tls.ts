import type { EndpointRule } from '../rule.js';

export const mutualTls: EndpointRule = {
  id: 'mutual-tls',
  title: 'clients must authenticate with a certificate',
  severities: ['notice'],
  why: 'Every client that reaches the port can use it; only the protocol above TLS can authenticate clients.',
  fix: 'Require client certificates: knsock serve --ca ca.crt --client-cert require.',
  check: ({ admitsAnonymous }) =>
    admitsAnonymous ? { severity: 'notice', evidence: 'it admitted a client without a certificate' } : null,
};
