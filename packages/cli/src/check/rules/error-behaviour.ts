import type { EndpointRule } from '../rule.js';

export const errorBehaviour: EndpointRule = {
  id: 'error-behaviour',
  title: 'bytes that aren’t TLS close the connection without an answer',
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
