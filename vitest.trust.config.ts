import { defaultServerConditions } from 'vite';
import { defineConfig } from 'vitest/config';
import { patience } from './vitest.config.js';

// The public exams of path validation through every entrance: apart, because they take longer than a daily test may.
export default defineConfig({
  ssr: { resolve: { conditions: ['@knsock/source', ...defaultServerConditions] } },
  test: {
    name: 'trust',
    root: 'tests',
    include: ['src/exams/**/*.test.ts'],
    setupFiles: [patience],
    reporters: ['default', '../scripts/closing-line-reporter.mjs'],
    testTimeout: 300_000,
    hookTimeout: 60_000,
  },
});
