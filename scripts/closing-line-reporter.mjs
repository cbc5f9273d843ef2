import { closingLine } from './counts.mjs';

/** A vitest reporter: why tests were skipped, then the line that sums up the run. */
export default class ClosingLineReporter {
  onTestRunEnd(modules, unhandledErrors) {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const count = (state) => tests.filter((test) => test.result().state === state).length;
    const suites = modules.flatMap((module) => [module, ...module.children.allSuites()]);
    const broken = suites.flatMap((suite) => suite.errors()).length + unhandledErrors.length;
    for (const reason of reasons(tests)) console.log(`skipped: ${reason}`);
    console.log(
      closingLine({ passed: count('passed'), failed: count('failed') + broken, skipped: count('skipped') }),
    );
  }
}

function reasons(tests) {
  return new Set(
    tests
      .map((test) => test.result())
      .filter(isExplained)
      .map((result) => result.note),
  );
}

function isExplained(result) {
  return result.state === 'skipped' && result.note !== undefined;
}
