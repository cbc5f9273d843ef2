import { unsupported } from './problem.js';

/** Rounds of a native PBKDF2 (a few seconds); no program writes files that ask for a tenth of it. */
const MAX_ROUNDS = 10_000_000;

/** How much one file may cost to open: it names its own iteration counts, for every part again. */
export class WorkBudget {
  #left = MAX_ROUNDS;

  /** @throws CredentialsError 'unsupported' once the file's parts together ask for too much */
  spend(rounds: number): void {
    this.#left -= rounds;
    if (this.#left >= 0) return;
    const asked = (MAX_ROUNDS - this.#left).toLocaleString('en');
    const limit = MAX_ROUNDS.toLocaleString('en');
    throw unsupported(`asks for work of ${asked} rounds of PBKDF2 or more, over the limit of ${limit}`, {
      hint: 'Export it again with fewer: openssl pkcs12 -export -iter 100000.',
    });
  }
}
