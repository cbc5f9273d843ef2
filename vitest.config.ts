import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defaultServerConditions } from 'vite';
import { defineConfig } from 'vitest/config';

// Tests run from the sources: the condition replaces the built files of our own packages.
const ssr = { resolve: { conditions: ['@knsock/source', ...defaultServerConditions] } };

export const patience = fileURLToPath(new URL('tests/src/support/patience.ts', import.meta.url));
const builtCommand = fileURLToPath(new URL('tests/src/support/built-command.ts', import.meta.url));

/** What is loaded when: the test looks at its process, and no other may have loaded anything. */
const alone = 'src/lazy.test.ts';

const packages = readdirSync(new URL('packages', import.meta.url)).map((name) => unitTests(name, name));

function unitTests(name: string, folder: string, include = 'src/**/*.test.ts') {
  return {
    ssr,
    test: {
      name,
      root: `packages/${folder}`,
      include: [include],
      exclude: include === alone ? [] : [alone],
      setupFiles: [patience],
      // Loading the sources for each file again is half of the time; unit tests leave nothing behind in modules.
      isolate: false,
      testTimeout: 20_000,
    },
  };
}

/** Tests that start a process for each case, which takes minutes: a suite of their own (`npm run test:programs`). */
export const programs = [
  'src/examples/*.test.ts',
  'src/docs/snippets.test.ts',
  'src/docs/commonjs.test.ts',
  'src/certs/*-killed.test.ts',
  'src/certs/store-crash.test.ts',
  'src/cli/unreadable-files.test.ts',
  'src/cli/key-stores.test.ts',
];

/** Tests mostly wait for sockets and processes: three workers a core keep the cores at work. */
export const workers = 3 * availableParallelism();

export default defineConfig({
  test: {
    reporters: ['default', './scripts/closing-line-reporter.mjs'],
    maxWorkers: workers,
    projects: [
      ...packages,
      unitTests('certs alone', 'certs', alone),
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
