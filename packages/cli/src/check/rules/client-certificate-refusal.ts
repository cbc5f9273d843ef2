import type { EndpointRule } from '../rule.js';

export const clientCertificateRefusal: EndpointRule = {
  id: 'client-certificate-refusal',
  title: 'client certificates that none of the server’s CAs issued are refused',
  severities: ['error'],
  why: 'A server that requests a certificate but accepts any certificate verifies nothing: a client can create one in a second.',
  fix: 'Verify client certificates against your own CA (--ca, ssl_client_certificate with ssl_verify_client on).',
  check: ({ admitsStrangers }) =>
    admitsStrangers === true
      ? { severity: 'error', evidence: 'it admitted a client with a self-signed certificate' }
      : null,
};
