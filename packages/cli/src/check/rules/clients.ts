/** Rules for which clients a server accepts, and for its answer to bytes that aren't TLS. */
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

export const clientCertificateRefusal: EndpointRule = {
  id: 'client-certificate-refusal',
  title: "client certificates that none of the server's CAs issued are refused",
  severities: ['error'],
  why: 'A server that requests a certificate but accepts any certificate verifies nothing: a client can create one in a second.',
  fix: 'Verify client certificates against your own CA (--ca, ssl_client_certificate with ssl_verify_client on).',
  check: ({ admitsStrangers }) =>
    admitsStrangers === true
      ? { severity: 'error', evidence: 'it admitted a client with a self-signed certificate' }
      : null,
};

export const errorBehaviour: EndpointRule = {
  id: 'error-behaviour',
  title: "bytes that aren't TLS close the connection without an answer",
  severities: ['warning', 'notice'],
  why: 'A client that sends garbage must neither learn about the server nor occupy a connection.',
  fix: 'Set a handshake timeout, and let the TLS library answer only with an alert.',
  check: ({ plainText }) => {
    if (plainText === 'closes') return null;
    return plainText === 'hangs'
      ? { severity: 'warning', evidence: 'it kept the connection open after a plain HTTP request' }
      : { severity: 'notice', evidence: 'it answered a plain HTTP request in plain text' };
  },
};
