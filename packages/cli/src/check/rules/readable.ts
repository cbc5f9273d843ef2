import type { FileRule } from '../rule.js';

export const readable: FileRule = {
  id: 'readable',
  title: 'the file has the content that its name says',
  severities: ['error'],
  why: 'An unreadable file can’t be checked, and a server that needs it won’t start.',
  fix: 'Is it PEM or DER of a certificate, a key or a revocation list? A PKCS#12 file needs its passphrase (--passphrase-file). knsock certs inspect FILE shows its content.',
  check: ({ problem }) => (problem === undefined ? null : { severity: 'error', evidence: problem }),
};
