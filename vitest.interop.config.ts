import { fileURLToPath } from 'node:url';
import { defaultServerConditions } from 'vite';
import { defineConfig } from 'vitest/config';
import { patience } from './vitest.config.js';

const builtCommand = fileURLToPath(new URL('tests/src/support/built-command.ts', import.meta.url));

// The tests against other programs: apart, because a newcomer's machine may have none of those.
export default defineConfig({
  ssr: { resolve: { conditions: ['@knsock/source', ...defaultServerConditions] } },
  test: {
    name: 'interop',
    root: 'tests',
    include: ['src/interop/**/*.test.ts'],
    setupFiles: [patience],
    globalSetup: [builtCommand],
    reporters: ['default', '../scripts/closing-line-reporter.mjs'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
