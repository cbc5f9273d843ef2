import type { FilesRule } from '../rule.js';

export const keyMatch: FilesRule = {
  id: 'key-match',
  title: 'the key is the certificate’s',
  severities: ['error'],
  why: 'No server starts with a key that belongs to another certificate.',
  fix: 'Use the key that the certificate was made for; knsock certs match tells.',
  check: ({ keyFile = '', keyMatches }) =>
    keyMatches === false
      ? { severity: 'error', evidence: `${keyFile} is the key of another certificate` }
      : null,
};
