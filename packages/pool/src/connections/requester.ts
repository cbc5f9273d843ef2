import { setMaxListeners } from 'node:events';
import type { Payload, RequestOptions } from '@knsock/core';
import { backOffDelay } from '@knsock/core/options';
import type { Balancer } from '../endpoints/balancer.js';
import { channels } from '../pool/channels.js';
import type { Clock } from '../clock.js';
import type { ConnectionPoolConfig } from './connection-config.js';
import { pause } from '../waiting/pause.js';
import { PoolClosedError } from '../pool/errors.js';
import { Histogram } from '../pool/histogram.js';
import { isLostConnection, isSilence, mayRetry } from './retry.js';
import type { Shared, Multiplexer } from './multiplexer.js';
import { boundedWait } from '../waiting/wait-options.js';

/** Between attempts to send a request, from the second retry on. */
const RETRY_BACK_OFF = { first: 20, longest: 1_000 };

/** Dependencies of a requester. */
export interface RequesterSettings<In, Out> {
  readonly config: ConnectionPoolConfig<In, Out>;
  readonly name: string;
  readonly multiplexer: Multiplexer<In, Out>;
  readonly balancer: Balancer<In, Out>;
  readonly clock: Clock;
  readonly random: () => number;
}

/** Sends requests for callers: finds a slot, sends, records the outcome, and retries what was provably not started. */
export class Requester<In = Buffer, Out = Payload> {
  /** Milliseconds until a request had its slot on a connection, and until its answer, including retries. */
  readonly waits = new Histogram();
  readonly times = new Histogram();
  readonly #settings: RequesterSettings<In, Out>;
  readonly #closed = new AbortController();

  constructor(settings: RequesterSettings<In, Out>) {
    this.#settings = settings;
    // Every request between two attempts listens to it, and Node warns of a leak from eleven listeners on.
    setMaxListeners(0, this.#closed.signal);
  }

  /** As `ConnectionPool.request` says. */
  async ask(payload: Out, options: RequestOptions): Promise<In> {
    const { config, clock } = this.#settings;
    options.signal?.throwIfAborted();
    const started = clock.now();
    const deadline = started + boundedWait('timeout', options.timeout ?? config.requestTimeout);
    for (let retries = 0, now = started; ; retries += 1, now = clock.now()) {
      const place = this.#place(options.signal, deadline, now);
      const shared = place instanceof Promise ? await place : place;
      if (place !== shared) now = clock.now();
      this.waits.record(now - started);
      try {
        const timeout = Math.max(1, Math.round(deadline - now)); // rounded up, the longest would overflow
        const answer = await shared.connection.request(payload, { timeout, signal: options.signal });
        this.#answered(shared, started);
        return answer;
      } catch (error) {
        this.#failed(shared, error, now);
        if (!this.#shallRetry(error, options, deadline)) throw error;
        if (retries > 0) await this.#pause(retries, deadline, options.signal);
        if (clock.now() >= deadline) throw error;
      }
    }
  }

  /** No more requests or retries; those in flight continue. */
  close(): void {
    this.#closed.abort();
  }

  #place(
    signal: AbortSignal | undefined,
    deadline: number,
    now: number,
  ): Shared<In, Out> | Promise<Shared<In, Out>> {
    const { multiplexer, config } = this.#settings;
    if (this.#closed.signal.aborted) throw new PoolClosedError();
    return multiplexer.enter({
      timeout: Math.max(1, Math.min(config.acquireTimeout, deadline - now)),
      signal,
    });
  }

  #answered(shared: Shared<In, Out>, started: number): void {
    const now = this.#settings.clock.now();
    this.times.record(now - started);
    shared.endpoint.answered(now);
    this.#settings.multiplexer.leave(shared, false);
  }

  // A request that exceeds its caller's timeout doesn't mean an unhealthy endpoint; answering no requests does.
  #failed(shared: Shared<In, Out>, error: unknown, sent: number): void {
    const { balancer, multiplexer } = this.#settings;
    const silent = isSilence(error) && shared.endpoint.answeredAt < sent;
    if (silent || isLostConnection(error)) balancer.doubt(shared.endpoint, 'silent', error);
    multiplexer.leave(shared, true);
  }

  #shallRetry(error: unknown, { idempotent, signal }: RequestOptions, deadline: number): boolean {
    if (!mayRetry(error, idempotent === true)) return false;
    if (signal?.aborted === true || this.#closed.signal.aborted) return false;
    if (this.#settings.clock.now() >= deadline) return false;
    if (channels.retried.hasSubscribers) channels.retried.publish({ pool: this.#settings.name, error });
    return true;
  }

  #pause(retries: number, deadline: number, signal: AbortSignal | undefined): Promise<void> {
    const { clock, random } = this.#settings;
    const delay = backOffDelay(RETRY_BACK_OFF, retries, random);
    return pause(clock, Math.min(delay, deadline - clock.now()), [signal, this.#closed.signal]);
  }
}
