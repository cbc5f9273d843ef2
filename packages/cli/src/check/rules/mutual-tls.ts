import type { EndpointRule } from '../rule.js';

export const mutualTls: EndpointRule = {
  id: 'mutual-tls',
  title: 'clients must show a certificate',
  severities: ['notice'],
  why: 'Anybody who reaches the port may talk to it; only the protocol above can tell friend from stranger.',
  fix: 'Require client certificates: knsock serve --ca ca.crt --client-cert require.',
  check: ({ admitsAnonymous }) =>
    admitsAnonymous
      ? { severity: 'notice', evidence: 'it let a client in that showed no certificate' }
      : null,
};
