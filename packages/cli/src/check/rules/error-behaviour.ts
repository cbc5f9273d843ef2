import type { EndpointRule } from '../rule.js';

export const errorBehaviour: EndpointRule = {
  id: 'error-behaviour',
  title: 'bytes that aren’t TLS end the connection without a word',
  severities: ['warning', 'notice'],
  why: 'Whoever sends garbage must neither learn about the server nor hold a place on it.',
  fix: 'Set a handshake timeout, and let the TLS library answer with its alert alone.',
  check: ({ plainText }) => {
    if (plainText === 'closes') return null;
    return plainText === 'hangs'
      ? { severity: 'warning', evidence: 'it kept the connection open after a plain HTTP request' }
      : { severity: 'notice', evidence: 'it answered a plain HTTP request in plain text' };
  },
};
