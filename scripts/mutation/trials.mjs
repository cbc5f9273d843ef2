// Starts vitest with the mutants and follows its journal; where a mutant blocks or breaks the process, ends it and goes on
// behind that mutant with a new one.
import { spawn } from 'node:child_process';
import { mkdirSync, openSync, readSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { root } from '../process.mjs';

const folder = path.join(root, '.tmp', 'mutation');

/** Milliseconds: a test has its own time half again and this; one slower than `slow` is not used; silence is a block. */
const limits = { bound: 500, slow: 1000, silence: 10_000 };

/**
 * Tries each mutant that isn't settled with each test that covers it.
 * @param {{ instrumented: Map<string, string>, tests: string[], settled: string[], tried: Record<string, string[]> }} work
 *   `tried` has for a file of tests the mutants that it needn't try
 * @param {(entry: object) => void} onEntry each line of the journal
 */
export async function tryMutants({ instrumented, tests, settled, tried }, onEntry) {
  mkdirSync(folder, { recursive: true });
  const plan = { root, ...limits, tests, tried, settled: [...settled], finished: [], survived: {} };
  plan.instrumented = Object.fromEntries(instrumented);
  const twice = new Set();
  for (let stuck = 0; ;) {
    writeFileSync(path.join(folder, 'plan.json'), JSON.stringify(plan));
    writeFileSync(path.join(folder, 'journal.jsonl'), '');
    const before = progress(plan);
    if (await runOnce(plan, twice, onEntry)) return;
    stuck = progress(plan) === before ? stuck + 1 : 0;
    if (stuck === 3) giveUpTest(plan, onEntry);
  }
}

function progress({ finished, settled, survived }) {
  return JSON.stringify([finished.length, settled.length, survived]);
}

/** A test that ends the process each time, without a mutant. */
function giveUpTest(plan, onEntry) {
  if (plan.next === undefined) throw new Error('vitest ends or blocks before it runs a test');
  plan.finished.push(plan.next);
  onEntry({ type: 'test', test: plan.next, passed: false });
}

async function runOnce(plan, twice, onEntry) {
  const env = { ...process.env, KNSOCK_MUTATION: folder };
  const vitest = path.join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const args = [vitest, 'run', '--config', 'vitest.mutation.config.ts'];
  const child = spawn(process.execPath, args, {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const output = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => output.push(chunk));
  const closed = new Promise((resolve) => child.on('close', () => resolve(true)));
  const stop = () => end(child);
  const interrupt = () => {
    stop();
    process.exit(130);
  };
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  const complete = await follow(closed, plan, twice, onEntry);
  process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  stop();
  await closed;
  if (complete === undefined) throw new Error(`vitest ran no test:\n${Buffer.concat(output).toString()}`);
  return complete;
}

/** Resolves to false where the rest needs a new process, and to undefined where not even one test was begun. */
async function follow(closed, plan, twice, onEntry) {
  const journal = new Journal();
  const open = new Set(plan.tests); // files to be collected, and tests to be finished
  let current;
  let begun = []; // with one test: all but the last are done with
  let heard = Date.now();
  for (;;) {
    const ended = await Promise.race([closed, sleep(100, false)]);
    for (const entry of journal.read()) {
      heard = Date.now();
      if (entry.type === 'collected') collect(entry, open, plan);
      if (entry.type === 'test') begun = plan.survived[entry.test] ??= [];
      if (entry.type === 'start') {
        if (current !== undefined) begun.push(current);
        current = entry.mutant;
      }
      if (entry.type === 'finished') {
        current = undefined;
        open.delete(entry.test);
        plan.finished.push(entry.test);
      }
      if (entry.type === 'killed') plan.settled.push(entry.mutant);
      onEntry(entry);
      if (entry.type === 'broke') return broken(entry, plan, twice, onEntry);
    }
    if (ended && journal.empty) return undefined;
    if (ended && open.size === 0) return true;
    if (ended) [plan.next] = open;
    const blocked = Date.now() - heard > plan.silence;
    if (blocked) twice.add(current);
    if (ended || blocked) return broken({ mutant: current, late: blocked }, plan, twice, onEntry);
  }
}

/** What a file of tests has to do. */
function collect({ file, tests }, open, plan) {
  open.delete(file);
  for (const test of tests) if (!plan.finished.includes(test)) open.add(test);
}

/** A mutant after which the test fails without it too, twice, in two processes, is killed: so did the test before. */
function broken({ mutant, test, late }, plan, twice, onEntry) {
  if (mutant === undefined) return false;
  if (twice.has(mutant)) {
    plan.settled.push(mutant);
    onEntry({ type: 'killed', mutant, test, late });
  }
  twice.add(mutant);
  return false;
}

function end(child) {
  try {
    process.kill(-child.pid, 'SIGKILL'); // with the process that vitest runs its tests in
  } catch {
    // it has ended already
  }
}

/** The lines that were added to the journal since it was last read. */
class Journal {
  empty = true;
  #file = openSync(path.join(folder, 'journal.jsonl'));
  #rest = '';

  read() {
    const lines = (this.#rest + this.#appended()).split('\n');
    this.#rest = lines.pop();
    if (lines.length > 0) this.empty = false;
    return lines.map((line) => JSON.parse(line));
  }

  #appended() {
    const chunks = [];
    const chunk = Buffer.alloc(65_536);
    for (let length; (length = readSync(this.#file, chunk)) > 0;)
      chunks.push(Buffer.from(chunk.subarray(0, length)));
    return Buffer.concat(chunks).toString();
  }
}
