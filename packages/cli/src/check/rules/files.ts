/** Rules for single files, and for a key with its certificate. */
import type { FileRule, KeyRule } from '../rule.js';

export const readable: FileRule = {
  id: 'readable',
  title: 'the file has the content that its name says',
  severities: ['error'],
  why: "An unreadable file can't be checked, and a server that needs it won't start.",
  fix: 'May this user read it, and is it PEM or DER of a certificate, a key or a revocation list? A PKCS#12 file needs its passphrase (--passphrase-file). knsock certs inspect FILE shows its content.',
  check: ({ problem }) => (problem === undefined ? null : { severity: 'error', evidence: problem }),
};

export const keyMatch: KeyRule = {
  id: 'key-match',
  title: 'the key belongs to the certificate',
  severities: ['error'],
  why: 'No server starts with a key that belongs to another certificate.',
  fix: 'Use the key that belongs to the certificate; knsock certs match checks it.',
  check: ({ keyFile, keyMatches }) => {
    if (keyMatches === true) return null;
    const whose =
      keyMatches === 'none' ? 'belongs to no certificate given' : 'is the key of another certificate';
    return { severity: 'error', evidence: `${keyFile} ${whose}` };
  },
};

export const keyPermissions: KeyRule = {
  id: 'key-permissions',
  title: 'the key is readable only by its owner',
  severities: ['error', 'warning'],
  why: 'Everyone who can read the key can impersonate the server. A parent directory that only the owner can enter also protects it.',
  fix: 'chmod 600 the file, and replace the key if others could have read it.',
  check: ({ keyFile, keyMode, keyReaders }) => {
    if (keyReaders === 'owner') return null;
    const mode = (keyMode & 0o777).toString(8).padStart(4, '0');
    return {
      severity: keyReaders === 'group' ? 'warning' : 'error',
      evidence: `${keyFile} has mode ${mode}, and its directories are open to ${keyReaders === 'group' ? 'its group' : 'everyone'}`,
    };
  },
};
