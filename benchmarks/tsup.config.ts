import { defineConfig } from 'tsup';

// Child processes run what this builds: a loader that transpiles on the fly would itself be measured.
export default defineConfig({
  entry: {
    main: 'src/main.ts',
<<<<<<< HEAD
=======
    pool: 'src/pool.ts',
    blocking: 'src/blocking.ts',
>>>>>>> ba51f2a (Load a client's files again only when they changed, so that its sessions resume; measure the blocking client)
    'load/load': 'src/load/load.ts',
    'subject/subject': 'src/subject/subject.ts',
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
