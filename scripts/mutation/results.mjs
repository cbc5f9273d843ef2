// What is known of each mutant, kept from run to run: a mutant whose code and tests didn't change isn't tried again.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../process.mjs';
import { hash } from './mutants.mjs';

const folder = path.join(root, '.tmp', 'mutation');
const file = path.join(folder, 'results.json');

/**
 * The results for these mutants. A killed mutant stays killed while the code that it changes is the same; a survivor is
 * tried by files of tests that changed. `fresh` forgets what is known of them.
 */
export class Results {
  #all;
  #mutants;
  #versions; // of each file of tests: a hash
  #byId;
  #covered = new Set(); // in this run
  #loading = new Set(); // passed when a module is loaded
  broken = new Set();
  slow = new Set();

  constructor(mutants, tests, fresh) {
    this.#all = new Map(existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : []);
    this.#mutants = mutants;
    this.#versions = new Map(tests.map((test) => [test, hash(readFileSync(path.join(root, test), 'utf8'))]));
    this.#byId = new Map(mutants.map((mutant) => [mutant.id, mutant]));
    for (const { key } of mutants) {
      if (fresh || !this.#isValid(key)) this.#all.set(key, { status: 'pending', tried: [] });
    }
  }

  #isValid(key) {
    const known = this.#all.get(key);
    const killer = known?.killedBy?.split(' > ')[0];
    return known !== undefined && (killer === undefined || existsSync(path.join(root, killer)));
  }

  /** The numbers of mutants that need no trial. */
  get settled() {
    return this.#mutants.filter(({ key }) => this.#all.get(key).status === 'killed').map(({ id }) => id);
  }

  /** For each file of tests the numbers of mutants that it tried in vain, as it is now. */
  get tried() {
    const entries = [...this.#versions].map(([test, version]) => {
      const vain = this.#mutants.filter(({ key }) => this.#all.get(key).tried.includes(version));
      return [test, vain.map(({ id }) => id)];
    });
    return Object.fromEntries(entries);
  }

  /** The files of tests that have something to try. */
  get openTests() {
    const open = this.#mutants.filter(({ key }) => this.#all.get(key).status !== 'killed');
    return [...this.#versions]
      .filter(([, version]) => open.some(({ key }) => !this.#all.get(key).tried.includes(version)))
      .map(([test]) => test);
  }

  /** Takes a line of the journal. */
  take(entry) {
    if (entry.type === 'killed') this.#killed(entry);
    if (entry.type === 'finished') for (const id of entry.loading) this.#loading.add(id);
    if (entry.type !== 'test') return;
    if (!entry.passed) this.broken.add(entry.test);
    else if (entry.slow) this.slow.add(entry.test);
    else for (const id of entry.covered) this.#covered.add(id);
  }

  #killed({ mutant, test, late = false }) {
    this.#all.set(this.#byId.get(mutant).key, { status: 'killed', killedBy: test, late, tried: [] });
  }

  /** Everything was tried with these tests: what isn't killed survived, or is covered by no test. */
  complete(tests) {
    const versions = tests.map((test) => this.#versions.get(test));
    for (const { id, key } of this.#mutants) {
      const known = this.#all.get(key);
      if (known.status === 'killed') continue;
      known.status = this.#unkilled(id, known.status);
      known.tried = [...new Set([...known.tried, ...versions])];
    }
  }

  // A mutant of what a module does when it is loaded would need a process of its own, and tells least: left out.
  #unkilled(id, before) {
    if (this.#covered.has(id) || before === 'survived') return 'survived';
    return this.#loading.has(id) || before === 'left out' ? 'left out' : 'uncovered';
  }

  save() {
    mkdirSync(folder, { recursive: true });
    writeFileSync(file, JSON.stringify([...this.#all]));
  }

  /** Each mutant with what became of it. */
  get list() {
    return this.#mutants.map(({ id: _, key, ...mutant }) => ({ ...mutant, ...this.#all.get(key) }));
  }
}
