import type { EndpointRule } from '../rule.js';

export const compression: EndpointRule = {
  id: 'compression',
  title: 'TLS doesn’t compress',
  severities: ['error'],
  why: 'The length of what is compressed betrays secrets in it (CRIME).',
  fix: 'Switch compression off in the TLS library (SSL_OP_NO_COMPRESSION); the application may compress.',
  check: ({ compression: compresses }) =>
    compresses ? { severity: 'error', evidence: 'it agreed to compress' } : null,
};
