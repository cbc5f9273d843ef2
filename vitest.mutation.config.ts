import { defaultServerConditions } from 'vite';
import { defineConfig } from 'vitest/config';

// The unit tests alone, in one project: scenarios under `tests` load our packages by name, hence not the mutated copy.
export default defineConfig({
  ssr: { resolve: { conditions: ['@knsock/source', ...defaultServerConditions] } },
  test: {
    include: ['packages/*/src/**/*.test.ts'],
    testTimeout: 20_000,
  },
});
