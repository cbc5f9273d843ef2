import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defaultServerConditions } from 'vite';
import { defineConfig } from 'vitest/config';

// Tests run from the sources: the condition replaces the built files of our own packages.
const ssr = { resolve: { conditions: ['@knsock/source', ...defaultServerConditions] } };

export const patience = fileURLToPath(new URL('tests/src/support/patience.ts', import.meta.url));
const builtCommand = fileURLToPath(new URL('tests/src/support/built-command.ts', import.meta.url));

const packages = readdirSync(new URL('packages', import.meta.url)).map((name) => ({
  ssr,
  test: {
    name,
    root: `packages/${name}`,
    include: ['src/**/*.test.ts'],
    setupFiles: [patience],
    // Loading the sources for each file again is half of the time; unit tests leave nothing behind in modules.
    isolate: name === 'certs', // whose test of what is loaded when looks at the process
    testTimeout: 20_000,
  },
}));

/** Tests that start a process for each case, which takes minutes: a suite of their own (`npm run test:programs`). */
export const programs = [
  'src/examples/*.test.ts',
  'src/docs/snippets.test.ts',
  'src/docs/commonjs.test.ts',
  'src/certs/*-killed.test.ts',
  'src/certs/store-crash.test.ts',
];

/** Tests mostly wait for sockets and processes: twice as many workers as cores keep the cores at work. */
export const workers = 2 * availableParallelism();

export default defineConfig({
  test: {
    reporters: ['default', './scripts/closing-line-reporter.mjs'],
    maxWorkers: workers,
    projects: [
      ...packages,
      {
        ssr,
        test: {
          name: 'tests',
          root: 'tests',
          include: ['src/**/*.test.ts'],
          exclude: ['src/interop/**', 'src/faults/**', 'src/exams/**', ...programs],
          globalSetup: [builtCommand],
          setupFiles: [patience],
          isolate: false, // as above
          testTimeout: 30_000,
        },
      },
    ],
  },
});
