// Mutation testing, for `npm run test:mutation`: which changes of the sources do the unit tests not notice?
// What is mutated, the task says (`scripts/tasks/mutation.mjs`).

export default {
  testRunner: 'vitest',
  plugins: ['@stryker-mutator/vitest-runner'],
  vitest: { configFile: 'vitest.mutation.config.ts', related: true },
  packageManager: 'pnpm',
  coverageAnalysis: 'perTest',
  concurrency: 2,
  // A mutant that loops is given up: the tests' own time half again, and ten seconds.
  timeoutMS: 10_000,
  timeoutFactor: 1.5,
  dryRunTimeoutMinutes: 5,
  // A mutant of a constant at a module's head is tried by all tests of its file, which costs most and tells least.
  ignoreStatic: true,
  // Only what changed since the last run is tried again.
  incremental: true,
  incrementalFile: '.tmp/mutation/incremental.json',
  tempDirName: '.tmp/mutation/sandbox',
  ignorePatterns: ['dist', 'coverage', '.tmp', 'docs', 'benchmarks', 'examples', 'tests'],
  reporters: ['clear-text', 'html', 'json'],
  clearTextReporter: { allowColor: false, reportTests: false, logTests: false },
  htmlReporter: { fileName: '.tmp/mutation/report.html' },
  jsonReporter: { fileName: '.tmp/mutation/report.json' },
  allowEmpty: false,
  // Whatever a message says, a test that asked for its every word would only repeat it.
  mutator: { excludedMutations: ['StringLiteral'] },
  thresholds: { high: 85, low: 85, break: null },
};
