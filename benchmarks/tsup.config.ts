import { defineConfig } from 'tsup';

// Child processes run what this builds: a loader that transpiles on the fly would itself be measured.
export default defineConfig({
  entry: {
    main: 'src/main.ts',
    'load/load': 'src/load/load.ts',
    'subject/subject': 'src/subject/subject.ts',
    'counted/program': 'src/counted/program.ts',
    'subject/packages': 'src/subject/packages.ts',
  },
  format: ['esm'],
  platform: 'node',
  target: 'node20.19',
  clean: true,
  splitting: true,
  // The packages as they are built, and the others as they are published.
  skipNodeModulesBundle: true,
  removeNodeProtocol: false,
});
