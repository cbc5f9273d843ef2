/** Limits guessing: after this many failures within a minute an address has to wait. Pure; bounded, the oldest goes. */

const MOST = 10;
const WINDOW_MS = 60_000;
const ADDRESSES = 10_000;

export class FailedAttempts {
  readonly #failures = new Map<string, { count: number; since: number }>();

  /** Milliseconds until the address may try again; 0: now. */
  wait(address: string, now: number): number {
    const known = this.#failures.get(address);
    if (known === undefined || now - known.since >= WINDOW_MS || known.count < MOST) return 0;
    return known.since + WINDOW_MS - now;
  }

  failed(address: string, now: number): void {
    const known = this.#failures.get(address);
    if (known !== undefined && now - known.since < WINDOW_MS) {
      known.count += 1;
      return;
    }
    this.#failures.delete(address);
    this.#failures.set(address, { count: 1, since: now });
    if (this.#failures.size <= ADDRESSES) return;
    for (const oldest of this.#failures.keys()) {
      this.#failures.delete(oldest);
      return;
    }
  }
}
