/**
 * Limits guessing: after this many failures within a minute an address has to wait. An IPv6 client chooses among the
 * addresses of its /64, which therefore counts as one. Pure; bounded, the oldest goes.
 */
import { networkOf } from '@knsock/core/x509';

const MOST = 10;
const WINDOW_MS = 60_000;
const ADDRESSES = 10_000;
const ONE_CLIENT = { ipv4: 32, ipv6: 64 } as const;

export class FailedAttempts {
  readonly #failures = new Map<string, { count: number; since: number }>();

  /** Milliseconds until the address may try again; 0: now. */
  wait(address: string, now: number): number {
    const known = this.#failures.get(networkOf(address, ONE_CLIENT));
    if (known === undefined || now - known.since >= WINDOW_MS || known.count < MOST) return 0;
    return known.since + WINDOW_MS - now;
  }

  failed(address: string, now: number): void {
    const client = networkOf(address, ONE_CLIENT);
    const known = this.#failures.get(client);
    if (known !== undefined && now - known.since < WINDOW_MS) {
      known.count += 1;
      return;
    }
    this.#failures.delete(client);
    this.#failures.set(client, { count: 1, since: now });
    if (this.#failures.size <= ADDRESSES) return;
    for (const oldest of this.#failures.keys()) {
      this.#failures.delete(oldest);
      return;
    }
  }
}
