import type { FilesRule } from '../rule.js';

export const keyPermissions: FilesRule = {
  id: 'key-permissions',
  title: 'the key is readable only by its owner',
  severities: ['error', 'warning'],
  why: 'Everyone who can read the key can impersonate the server. A parent directory that only the owner can enter also protects it.',
  fix: 'chmod 600 the file, and replace the key if others could have read it.',
  check: ({ keyFile = '', keyMode, keyReaders }) => {
    if (keyMode === undefined || keyReaders === undefined || keyReaders === 'owner') return null;
    const mode = (keyMode & 0o777).toString(8).padStart(4, '0');
    return {
      severity: keyReaders === 'group' ? 'warning' : 'error',
      evidence: `${keyFile} has mode ${mode}, and its directories are open to ${keyReaders === 'group' ? 'its group' : 'everyone'}`,
    };
  },
};
