import type { FilesRule } from '../rule.js';

export const keyPermissions: FilesRule = {
  id: 'key-permissions',
  title: 'the key is readable by its owner alone',
  severities: ['error', 'warning'],
  why: 'Whoever reads the key can be the server.',
  fix: 'chmod 600 the file, and replace the key if strangers could read it.',
  check: ({ keyFile = '', keyMode }) => {
    if (keyMode === undefined || (keyMode & 0o077) === 0) return null;
    const mode = (keyMode & 0o777).toString(8).padStart(4, '0');
    return {
      severity: (keyMode & 0o007) === 0 ? 'warning' : 'error',
      evidence: `${keyFile} has mode ${mode}`,
    };
  },
};
