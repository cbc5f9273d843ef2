import { defineConfig } from 'tsup';
import { library } from '../../scripts/tsup.base.js';

export default defineConfig(
  library({
    index: 'src/index.ts',
    errors: 'src/errors/index.ts',
    framing: 'src/framing/index.ts',
    options: 'src/options/index.ts',
    'sync-worker': 'src/sync/worker.ts',
    x509: 'src/x509/index.ts',
    testing: 'src/testing/index.ts',
  }),
);
