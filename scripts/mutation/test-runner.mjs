// Runs within vitest, in place of its own runner: each test once as it is, then once more for each mutant that it covers
// and that no test has killed yet. What it finds it appends to a journal, a line at a time, so that nothing is lost when a
// mutant takes the whole process with it (see `trials.mjs`).
import { appendFileSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { TestRunner, vi } from 'vitest';

const folder = process.env.KNSOCK_MUTATION;
const plan = JSON.parse(readFileSync(path.join(folder, 'plan.json'), 'utf8'));
const settled = new Set(plan.settled);
const finished = new Set(plan.finished);
const instrumented = (globalThis.__stryker__ ??= {});

const { setInterval, clearInterval, setImmediate, performance } = globalThis; // tests may replace them
/** Milliseconds. Time is counted by these, so that a test isn't late because the machine had no time for it. */
const TICK = 50;

/** A mutant that loops is switched off after it was passed this many times as often as without it. */
const hitFactor = 100;
let hits = 0;
let isLooping = false;
Object.defineProperty(instrumented, 'hitCount', {
  configurable: true,
  get: () => hits,
  set: (count) => {
    hits = count;
    isLooping ||= count > instrumented.hitLimit;
    if (isLooping) instrumented.activeMutant = undefined; // the instrumented code throws, but a loop may go on all the same
  },
});

export default class MutationRunner extends TestRunner {
  #trial;
  #queue = [];
  #limit = plan.bound;
  #used = false;

  /** Says what there is to do, so that it shows where a process ended too soon. */
  onCollected(files) {
    for (const file of files) {
      const tests = testsOf(file).filter(({ mode }) => mode === 'run' || mode === 'queued');
      note({ type: 'collected', file: fileOf(file), tests: tests.map(nameOf) });
    }
  }

  async onBeforeRunTask(test) {
    await super.onBeforeRunTask(test);
    if (finished.has(nameOf(test))) test.mode = 'skip';
    if (test.mode === 'run' || test.mode === 'queued') test.repeats = Number.POSITIVE_INFINITY;
    this.#trial = { kind: 'first', began: performance.now() };
    this.#limit = plan.slow + plan.bound;
  }

  onBeforeTryTask(test) {
    test.result.state = 'run';
    test.result.errors = undefined;
    this.#activate(test);
    super.onBeforeTryTask(test);
  }

  #activate(test) {
    const { kind, mutant, hits: usual } = this.#trial;
    instrumented.mutantCoverage ??= { static: {}, perTest: {} };
    instrumented.currentTestId = test.id;
    instrumented.activeMutant = kind === 'mutant' ? mutant : undefined;
    instrumented.hitLimit = kind === 'mutant' ? usual * hitFactor : Number.POSITIVE_INFINITY;
    instrumented.hitCount = 0;
    isLooping = false;
    if (kind !== 'mutant') return;
    this.#used = true;
    note({ type: 'start', mutant });
  }

  async runTask(test) {
    let timer;
    const late = new Promise((_, reject) => {
      let left = this.#limit;
      timer = setInterval(() => {
        if ((left -= TICK) > 0) return;
        this.#trial.late = true;
        reject(new Error(`still running after ${this.#limit} ms`));
      }, TICK);
    });
    try {
      await Promise.race([TestRunner.getTestFn(test)(), late]);
    } catch (error) {
      instrumented.activeMutant = undefined; // it is killed: what cleans up behind the test shall work
      throw error;
    } finally {
      clearInterval(timer);
    }
  }

  async onAfterRetryTask(test) {
    instrumented.activeMutant = undefined;
    if (vi.isFakeTimers()) vi.useRealTimers();
    await new Promise((resolve) => setImmediate(resolve));
    if (test.result.state !== 'skip') this.#judge(test, test.result.state !== 'fail' && !isLooping);
    const next = this.#next(test);
    if (next === undefined) return this.#leave(test);
    this.#trial = { ...next, began: performance.now() };
  }

  #judge(test, passed) {
    const { kind, mutant, late, began } = this.#trial;
    const name = nameOf(test);
    if (kind === 'first') return this.#plan(test, passed, performance.now() - began);
    if (kind === 'mutant' && passed) return;
    if (kind === 'mutant') return this.#queue.unshift({ kind: 'again', mutant, late: late || isLooping });
    if (passed) {
      settled.add(mutant);
      return note({ type: 'killed', mutant, test: name, late });
    }
    breakOff({ mutant, test: name, late });
  }

  /** What is to be tried with this test, from what its run without any mutant covered. */
  #plan(test, passed, time) {
    if (this.#trial.late) return this.#tooSlow(nameOf(test));
    if (!passed && this.#used) return breakOff({ test: nameOf(test) }); // some mutant may be the reason
    const covered = Object.entries(instrumented.mutantCoverage.perTest[test.id] ?? {});
    const slow = time > plan.slow;
    note({
      type: 'test',
      test: nameOf(test),
      passed,
      slow,
      time,
      covered: covered.map(([mutant]) => mutant),
    });
    if (!passed || slow) return;
    const tried = new Set([...(plan.tried[fileOf(test)] ?? []), ...(plan.survived?.[nameOf(test)] ?? [])]);
    this.#limit = time * 1.5 + plan.bound;
    this.#queue = covered
      .map(([mutant, hits]) => ({ kind: 'mutant', mutant, hits }))
      .filter(({ mutant }) => !tried.has(mutant));
  }

  /** It still runs, and would disturb the next. */
  #tooSlow(name) {
    note({ type: 'test', test: name, passed: true, slow: true, covered: [] });
    note({ type: 'finished', test: name, loading: this.#newlyLoaded() });
    breakOff({ test: name });
  }

  #next() {
    while (this.#queue.length > 0) {
      const trial = this.#queue.shift();
      if (trial.kind === 'again' || !settled.has(trial.mutant)) return trial;
    }
    return undefined;
  }

  /** Mutants that were passed outside of tests, when a module was loaded, as far as they weren't noted yet. */
  #newlyLoaded() {
    const loaded = Object.keys(instrumented.mutantCoverage.static);
    instrumented.mutantCoverage.static = {};
    return loaded;
  }

  #leave(test) {
    note({ type: 'finished', test: nameOf(test), loading: this.#newlyLoaded() });
    instrumented.mutantCoverage.perTest = {};
    instrumented.currentTestId = undefined;
    test.result.pending = true; // vitest's own way out of its repetitions
  }
}

function note(entry) {
  appendFileSync(path.join(folder, 'journal.jsonl'), `${JSON.stringify(entry)}\n`);
}

function testsOf(task) {
  return task.type === 'test' ? [task] : task.tasks.flatMap(testsOf);
}

function nameOf(test) {
  const names = [];
  for (let task = test; task !== undefined; task = task.suite) names.unshift(task.name);
  return [fileOf(test), ...names].join(' > ');
}

function fileOf(test) {
  return path.relative(plan.root, test.file.filepath).split(path.sep).join('/');
}

/** A test fails without a mutant too: this process is of no more use. */
function breakOff(entry) {
  note({ type: 'broke', ...entry });
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000); // `trials.mjs` reads the line and ends us
}
