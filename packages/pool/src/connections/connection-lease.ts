import type { Payload, SecureConnection } from '@knsock/core';
import { BorrowedConnection } from './borrowed-connection.js';
import type { Endpoint } from '../endpoints/endpoint.js';
import type { Lease } from '../pool/lease.js';

/** Exclusive use of one connection; the connection it returns throws once the lease has ended. */
export class ConnectionLease<In = Buffer, Out = Payload> implements Lease<SecureConnection<In, Out>> {
  readonly #lease: Lease<SecureConnection<In, Out>>;
  readonly #endpoint: Endpoint;
  readonly #borrowed: BorrowedConnection<In, Out>;
  #open = true;

  /** @param onEnding called before the borrower ends the connection */
  constructor(lease: Lease<SecureConnection<In, Out>>, endpoint: Endpoint, onEnding: () => void) {
    this.#lease = lease;
    this.#endpoint = endpoint;
    this.#borrowed = new BorrowedConnection(lease.value, onEnding);
    endpoint.lent.add(this.#borrowed.id);
  }

  get value(): SecureConnection<In, Out> {
    // The underlying lease throws if it has ended.
    return this.#open ? this.#borrowed : this.#lease.value;
  }

  release(error?: unknown): void {
    this.#end();
    if (this.#borrowed.marked) this.#lease.destroy();
    else this.#lease.release(error);
  }

  destroy(): void {
    this.#end();
    this.#lease.destroy();
  }

  [Symbol.asyncDispose](): Promise<void> {
    if (this.#open) this.release();
    return Promise.resolve();
  }

  #end(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#endpoint.lent.delete(this.#borrowed.id);
    this.#borrowed.end();
  }
}
