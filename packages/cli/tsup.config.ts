import { defineConfig } from 'tsup';
import { library } from '../../scripts/tsup.base.js';

export default defineConfig({
  ...library({ index: 'src/index.ts', bin: 'src/bin.ts' }),
  // Bundled, since finding and reading their files is a good part of a short command's time.
  noExternal: ['commander', 'picocolors'],
  // Commander is CommonJS and asks for Node's own modules by require.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
});
