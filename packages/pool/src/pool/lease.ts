import { callback } from '@knsock/core/options';
import { LeaseReleasedError } from './errors.js';
import type { Slot } from './slots.js';

/** Takes a resource back. */
export interface Lender<T> {
  giveBack(slot: Slot<T>, error: unknown): void;
  discard(slot: Slot<T>): void;
}

/** Exclusive use of one resource, until it is released. With `await using` it is released at the scope's end. */
export interface Lease<T> extends AsyncDisposable {
  /** @throws LeaseReleasedError after the release: another borrower may have the resource then */
  readonly value: T;
  /**
   * Releases the resource for others to use.
   * @param error the failure while using it, if any: the resource is then destroyed unless the pool's
   *   `reusable` says that its state is certain
   * @throws LeaseReleasedError if it was released already
   */
  release(error?: unknown): void;
  /**
   * Ends the lease and destroys the resource: for one whose state is uncertain.
   * @throws LeaseReleasedError if the lease has ended already
   */
  destroy(): void;
}

/**
 * Calls `fn` with the value of a lease, and releases it afterwards: with the failure where there was one.
 * @throws InvalidOptionError where it isn't a function, before anything is acquired
 */
export async function useLease<T, R>(
  acquire: () => Promise<Lease<T>>,
  fn: (value: T) => R | Promise<R>,
): Promise<R> {
  callback('fn', (fn as unknown) ?? null);
  const lease = await acquire();
  try {
    const result = await fn(lease.value);
    lease.release();
    return result;
  } catch (error) {
    lease.release(error ?? new Error('the function threw nothing'));
    throw error;
  }
}

/** The slot of a lease, for the pool only. */
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

  /** Releases, unless released by hand. */
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
