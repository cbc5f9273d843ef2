import { fileURLToPath } from 'node:url';
import { defaultServerConditions } from 'vite';
import { defineConfig } from 'vitest/config';
import { patience, programs, workers } from './vitest.config.js';

const builtCommand = fileURLToPath(new URL('tests/src/support/built-command.ts', import.meta.url));

// The tests that start a process for each case: programs of the pages and examples, processes killed at every step, and the
// command with each flag that takes a file.
export default defineConfig({
  ssr: { resolve: { conditions: ['@knsock/source', ...defaultServerConditions] } },
  test: {
    name: 'programs',
    root: 'tests',
    include: programs,
    setupFiles: [patience],
    globalSetup: [builtCommand],
    reporters: ['default', '../scripts/closing-line-reporter.mjs'],
    maxWorkers: workers,
    isolate: false,
    testTimeout: 60_000,
  },
});
