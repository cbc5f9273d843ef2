import { LeaseReleasedError } from './errors.js';
import type { Slot } from './slots.js';

/** Who takes a resource back. */
export interface Lender<T> {
  giveBack(slot: Slot<T>, error: unknown): void;
  discard(slot: Slot<T>): void;
}

/** The right to use one resource alone, until it is released. With `await using` it is released at the scope’s end. */
export interface Lease<T> extends AsyncDisposable {
  /** @throws LeaseReleasedError after the release: another borrower may have the resource then */
  readonly value: T;
  /**
   * Gives the resource back for others to use.
   * @param error what went wrong while using it, if anything did: the resource is then destroyed unless the pool’s
   *   `reusable` says that nothing of it is in doubt
   * @throws LeaseReleasedError where that was done already
   */
  release(error?: unknown): void;
  /**
   * Ends the lease and the resource with it: for one whose state is in doubt.
   * @throws LeaseReleasedError where the lease has ended already
   */
  destroy(): void;
}

/** Which slot a lease stands for, for the pool alone. */
export let slotOf: <T>(lease: PoolLease<T>) => Slot<T> | undefined;

export class PoolLease<T> implements Lease<T> {
  static {
    slotOf = (lease) => lease.#slot;
  }
  readonly #lender: Lender<T>;
  #slot: Slot<T> | undefined;

  constructor(lender: Lender<T>, slot: Slot<T>) {
    this.#lender = lender;
    this.#slot = slot;
  }

  get value(): T {
    if (this.#slot === undefined)
      throw new LeaseReleasedError('the lease was released; its value belongs to others now');
    return this.#slot.resource as T;
  }

  release(error?: unknown): void {
    this.#lender.giveBack(this.#end(), error);
  }

  destroy(): void {
    this.#lender.discard(this.#end());
  }

  /** Releases, unless that was done by hand. */
  [Symbol.asyncDispose](): Promise<void> {
    if (this.#slot !== undefined) this.release();
    return Promise.resolve();
  }

  #end(): Slot<T> {
    const slot = this.#slot;
    if (slot === undefined)
      throw new LeaseReleasedError('the lease was released before; a lease is released once');
    this.#slot = undefined;
    return slot;
  }
}
