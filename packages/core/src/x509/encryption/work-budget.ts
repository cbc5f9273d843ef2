import { unsupported } from './problem.js';

/** Rounds for work that runs off the main thread: about three seconds; GnuTLS, the dearest of the common programs, asks for 3 million. */
const MOST_ROUNDS = 8_000_000;
/** Rounds for work that keeps the calling thread busy. */
const MOST_ROUNDS_AT_ONCE = 4_000_000;

/**
 * How much one file may cost to open, counted in rounds of PBKDF2 (about 0.4 µs each): it names its own iteration
 * counts, for every part again. Nothing is derived before it was spent here.
 */
export class WorkBudget {
  readonly #limit: number;
  readonly #hint: string;
  #left: number;

  /** @param mode whether the work is done on the calling thread */
  constructor(mode: 'at-once' | 'off-thread') {
    this.#limit = mode === 'at-once' ? MOST_ROUNDS_AT_ONCE : MOST_ROUNDS;
    this.#left = this.#limit;
    this.#hint =
      mode === 'at-once'
        ? 'loadCredentials works off the main thread and allows twice as much; beyond that, export it again with fewer rounds (600,000 are plenty).'
        : 'Export it again with fewer rounds; 600,000 are plenty. A file with so many may be an attack on its reader.';
  }

  /** @throws FileProblem 'unsupported' once the file's parts together ask for too much */
  spend(rounds: number): void {
    this.#left -= rounds;
    if (this.#left >= 0) return;
    const asked = (this.#limit - this.#left).toLocaleString('en');
    const limit = this.#limit.toLocaleString('en');
    throw unsupported(`asks for ${asked} rounds of key derivation or more, over the limit of ${limit}`, {
      hint: this.#hint,
    });
  }
}
