import type { EndpointRule } from '../rule.js';

export const compression: EndpointRule = {
  id: 'compression',
  title: 'TLS compression is off',
  severities: ['error'],
  why: 'The length of compressed data reveals secrets in it (CRIME).',
  fix: 'Disable compression in the TLS library (SSL_OP_NO_COMPRESSION); the application may compress.',
  check: ({ compression: compresses }) =>
    compresses ? { severity: 'error', evidence: 'it agreed to compress' } : null,
};
