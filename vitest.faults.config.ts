import { defaultServerConditions } from 'vite';
import { defineConfig } from 'vitest/config';
import { patience } from './vitest.config.js';

// The tests that load servers as real processes and break things: apart, because they take minutes and many descriptors.
export default defineConfig({
  ssr: { resolve: { conditions: ['@knsock/source', ...defaultServerConditions] } },
  test: {
    name: 'faults',
    root: 'tests',
    include: ['src/faults/**/*.test.ts'],
    setupFiles: [patience],
    reporters: ['default', '../scripts/closing-line-reporter.mjs'],
    testTimeout: 300_000,
    hookTimeout: 60_000,
    fileParallelism: false,
  },
});
