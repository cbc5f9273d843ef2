import type { FilesRule } from '../rule.js';

export const keyPermissions: FilesRule = {
  id: 'key-permissions',
  title: 'the key is readable by its owner alone',
  severities: ['error', 'warning'],
  why: 'Whoever reads the key can be the server. A folder above that only the owner enters protects it as well.',
  fix: 'chmod 600 the file, and replace the key if strangers could read it.',
  check: ({ keyFile = '', keyMode, keyReaders }) => {
    if (keyMode === undefined || keyReaders === undefined || keyReaders === 'owner') return null;
    const mode = (keyMode & 0o777).toString(8).padStart(4, '0');
    return {
      severity: keyReaders === 'group' ? 'warning' : 'error',
      evidence: `${keyFile} has mode ${mode}, and the folders above let ${keyReaders === 'group' ? 'its group' : 'everybody'} in`,
    };
  },
};
