import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defaultServerConditions } from 'vite';
import { defineConfig } from 'vitest/config';

// Tests run from the sources: the condition replaces the built files of our own packages.
const ssr = { resolve: { conditions: ['@knsock/source', ...defaultServerConditions] } };

const builtCommand = fileURLToPath(new URL('tests/src/support/built-command.ts', import.meta.url));

const packages = readdirSync(new URL('packages', import.meta.url)).map((name) => ({
  ssr,
  test: {
    name,
    root: `packages/${name}`,
    include: ['src/**/*.test.ts'],
    // Loading the sources for each file again is half of the time; unit tests leave nothing behind in modules.
    isolate: name === 'certs', // whose test of what is loaded when looks at the process
    testTimeout: 20_000,
  },
}));

export default defineConfig({
  test: {
    reporters: ['default', './scripts/closing-line-reporter.mjs'],
    // Tests wait much: on two cores one worker leaves half of them idle.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: [
      ...packages,
      {
        ssr,
        test: {
          name: 'tests',
          root: 'tests',
          include: ['src/**/*.test.ts'],
          exclude: ['src/interop/**', 'src/faults/**', 'src/exams/**'],
          globalSetup: [builtCommand],
          testTimeout: 30_000,
        },
      },
    ],
  },
});
