import type { FileRule } from '../rule.js';

export const readable: FileRule = {
  id: 'readable',
  title: 'the file holds what its name says',
  severities: ['error'],
  why: 'What can’t be read can’t be checked, and the server that needs it won’t start.',
  fix: 'Is it PEM or DER of a certificate, a key or a revocation list? A PKCS#12 file needs its passphrase (--passphrase-file). knsock certs inspect FILE shows what is in it.',
  check: ({ problem }) => (problem === undefined ? null : { severity: 'error', evidence: problem }),
};
