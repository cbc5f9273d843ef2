import type { EndpointRule } from '../rule.js';

export const clientCertificateRefusal: EndpointRule = {
  id: 'client-certificate-refusal',
  title: 'client certificates that no CA of the server’s issued are refused',
  severities: ['error'],
  why: 'A server that asks for a certificate and takes any checks nothing: a client makes one in a second.',
  fix: 'Verify client certificates against a CA of your own (--ca, ssl_client_certificate with ssl_verify_client on).',
  check: ({ admitsStrangers }) =>
    admitsStrangers === true
      ? { severity: 'error', evidence: 'it let a client in whose certificate was signed by itself' }
      : null,
};
