import type { FilesRule } from '../rule.js';

export const keyMatch: FilesRule = {
  id: 'key-match',
  title: 'the key belongs to the certificate',
  severities: ['error'],
  why: 'No server starts with a key that belongs to another certificate.',
  fix: 'Use the key that belongs to the certificate; knsock certs match checks it.',
  check: ({ keyFile = '', keyMatches }) =>
    keyMatches === false
      ? { severity: 'error', evidence: `${keyFile} is the key of another certificate` }
      : null,
};
