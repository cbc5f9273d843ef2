import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { defaultServerConditions } from 'vite';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const { KNSOCK_MUTATION: folder = '.tmp/mutation' } = process.env; // set by scripts/mutation/trials.mjs

const plan = JSON.parse(readFileSync(path.join(folder, 'plan.json'), 'utf8')) as {
  root: string;
  tests: string[];
  instrumented: Record<string, string>;
};

/**
 * The smallest files first: a unit's own test kills in a moment what would hang a scenario of many units. Tests of random
 * histories last: each of their failures is tried to be made shorter first.
 */
class CheapestFirst extends BaseSequencer {
  override sort(files: TestSpecification[]) {
    const cost = ({ moduleId }: TestSpecification) => {
      return statSync(moduleId).size + (moduleId.endsWith('.property.test.ts') ? 1e9 : 0);
    };
    return Promise.resolve(files.sort((a, b) => cost(a) - cost(b)));
  }
}

// The unit tests alone, one after the other in one process, over sources that contain their mutants.
export default defineConfig({
  ssr: { resolve: { conditions: ['@knsock/source', ...defaultServerConditions] } },
  plugins: [
    {
      name: 'mutants',
      enforce: 'pre',
      load: (id) => plan.instrumented[path.relative(plan.root, id).split(path.sep).join('/')],
    },
  ],
  test: {
    include: plan.tests,
    runner: './scripts/mutation/test-runner.mjs',
    reporters: [{}],
    isolate: false,
    fileParallelism: false,
    sequence: { sequencer: CheapestFirst },
    // The runner has time limits of its own; one of vitest's would end a test that it no longer runs.
    testTimeout: 0,
    hookTimeout: 3000,
  },
});
