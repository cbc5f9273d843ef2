/** How many rounds of key derivation one file may ask for: it names the counts itself, for every part again. */
import { CertificateError } from '../errors.js';

/** Some seconds of work; old programs ask for 100,000 rounds at most, NSS for 600,000 a part. */
const MAX_ROUNDS = 5_000_000;

export class DerivationBudget {
  #left = MAX_ROUNDS;

  /** @throws CertificateError `KNSOCK_CERTIFICATE_UNSUPPORTED` for counts meant to keep the reader busy. */
  spend(rounds: number): number {
    if (!Number.isInteger(rounds) || rounds < 1) throw refuse(`${rounds} rounds of key derivation are none`);
    this.#left -= rounds;
    if (this.#left >= 0) return rounds;
    const limit = MAX_ROUNDS.toLocaleString('en');
    throw refuse(`the file asks for more than ${limit} rounds of key derivation`);
  }
}

function refuse(message: string): CertificateError {
  return new CertificateError('KNSOCK_CERTIFICATE_UNSUPPORTED', message);
}
