import type {
  CloseOptions,
  LendOptions,
  LentMessageListener,
  MessageListener,
  Payload,
  RequestOptions,
  SecureConnection,
} from '@knsock/core';
import { LeaseReleasedError } from '../pool/errors.js';

type Waiting = { signal?: AbortSignal | undefined; timeout?: number | undefined };

/**
 * A borrower's view of a connection: the same until the lease ends. Afterwards every use throws, so that no caller
 * interferes with the next borrower. What can't be undone (a listener, the raw stream)
 * marks the connection as not reusable.
 */
export class BorrowedConnection<In = Buffer, Out = Payload> implements SecureConnection<In, Out> {
  readonly id: number;
  readonly peer: SecureConnection['peer'];
  readonly tls: SecureConnection['tls'];
  readonly remote: SecureConnection['remote'];
  readonly proxy: SecureConnection['proxy'];
  readonly closed: SecureConnection['closed'];
  readonly #connection: SecureConnection<In, Out>;
  readonly #onEnding: () => void;
  #ended = false;
  #marked = false;
  #receiving = 0;

  /** @param onEnding called before the borrower ends the connection */
  constructor(connection: SecureConnection<In, Out>, onEnding: () => void) {
    this.#connection = connection;
    this.#onEnding = onEnding;
    this.id = connection.id;
    this.peer = connection.peer;
    this.tls = connection.tls;
    this.remote = connection.remote;
    this.proxy = connection.proxy;
    this.closed = connection.closed;
  }

  /** Whether something done to it outlasts the lease, or is still in progress. */
  get marked(): boolean {
    return this.#marked || this.#receiving > 0;
  }

  /** Ends the lease. */
  end(): void {
    this.#ended = true;
  }

  get state(): 'open' | 'draining' | 'closed' {
    return this.#connection.state;
  }

  get signal(): AbortSignal {
    return this.#connection.signal;
  }

  get socket(): SecureConnection['socket'] {
    return this.#mark().socket;
  }

  stats(): ReturnType<SecureConnection['stats']> {
    return this.#use().stats();
  }

  send(payload: Out, options?: { signal?: AbortSignal | undefined }): Promise<void> {
    return this.#use().send(payload, options);
  }

  write(payload: Out): boolean {
    return this.#use().write(payload);
  }

  post(payload: Out): boolean {
    return this.#use().post(payload);
  }

  ready(): Promise<void> {
    return this.#use().ready();
  }

  onMessage(listener: MessageListener<In>): void;
  onMessage(listener: LentMessageListener<In>, options: LendOptions): void;
  onMessage(listener: MessageListener<never>, options: LendOptions = {}): void {
    this.#mark().onMessage(listener as LentMessageListener<In>, options);
  }

  // eslint-disable-next-line no-restricted-syntax -- As a connection's own: null is its end.
  async receive(options?: Waiting): Promise<In | null> {
    const connection = this.#use();
    this.#receiving += 1;
    try {
      return await connection.receive(options);
    } finally {
      this.#receiving -= 1;
    }
  }

  request(payload: Out, options?: RequestOptions): Promise<In> {
    return this.#use().request(payload, options);
  }

  onRequest(handler: Parameters<SecureConnection<In, Out>['onRequest']>[0]): void {
    this.#mark().onRequest(handler);
  }

  onDraining(listener: () => void): void {
    this.#mark().onDraining(listener);
  }

  ping(options?: Waiting): Promise<number> {
    return this.#use().ping(options);
  }

  pause(): void {
    this.#mark().pause();
  }

  resume(): void {
    this.#use().resume();
  }

  stream(): ReturnType<SecureConnection['stream']> {
    return this.#mark().stream();
  }

  relay(other: Parameters<SecureConnection['relay']>[0]): ReturnType<SecureConnection['relay']> {
    return this.#mark().relay(other);
  }

  close(options?: CloseOptions): Promise<void> {
    return this.#useToEnd().close(options);
  }

  destroy(error?: Error): void {
    this.#useToEnd().destroy(error);
  }

  async *[Symbol.asyncIterator](): AsyncIterator<In> {
    for (let message = await this.receive(); message !== null; message = await this.receive()) yield message;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #use(): SecureConnection<In, Out> {
    if (this.#ended)
      throw new LeaseReleasedError('the connection was used after its lease had been released');
    return this.#connection;
  }

  #useToEnd(): SecureConnection<In, Out> {
    const connection = this.#use();
    this.#onEnding();
    return connection;
  }

  #mark(): SecureConnection<In, Out> {
    this.#marked = true;
    return this.#use();
  }
}
