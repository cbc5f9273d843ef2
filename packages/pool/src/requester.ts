import type { Payload, RequestOptions } from '@knsock/core';
import { backOffDelay } from './back-off.js';
import type { Balancer } from './balancer.js';
import { channels } from './channels.js';
import type { Clock } from './clock.js';
import { finite } from './config.js';
import type { ConnectionPoolConfig } from './connection-config.js';
import { pause } from './deadline.js';
import { PoolClosedError } from './errors.js';
import { Histogram } from './histogram.js';
import { isLostConnection, isSilence, mayRetry } from './retry.js';
import type { Shared, Sharing } from './sharing.js';

/** Between attempts to send a request, from the second retry on. */
const RETRY_BACK_OFF = { first: 20, longest: 1_000 };

/** What asking needs. */
export interface RequesterSettings<In, Out> {
  readonly config: ConnectionPoolConfig<In, Out>;
  readonly name: string;
  readonly sharing: Sharing<In, Out>;
  readonly balancer: Balancer<In, Out>;
  readonly clock: Clock;
  readonly random: () => number;
}

/** Asks for callers: finds a place, sends, learns from the outcome, and sends again what was provably not started. */
export class Requester<In = Buffer, Out = Payload> {
  /** Milliseconds until a request had its place on a connection, and until its answer, retries included. */
  readonly waits = new Histogram();
  readonly times = new Histogram();
  readonly #settings: RequesterSettings<In, Out>;
  readonly #closed = new AbortController();

  constructor(settings: RequesterSettings<In, Out>) {
    this.#settings = settings;
  }

  /** As `ConnectionPool.request` says. */
  async ask(payload: Out, options: RequestOptions): Promise<In> {
    const { config, clock } = this.#settings;
    options.signal?.throwIfAborted();
    const started = clock.now();
    const deadline = started + finite('timeout', options.timeout ?? config.requestTimeout);
    for (let retries = 0, now = started; ; retries += 1, now = clock.now()) {
      if (this.#closed.signal.aborted) throw new PoolClosedError();
      try {
        const answer = await this.#attempt(payload, options, now, deadline);
        this.times.record(clock.now() - started);
        return answer;
      } catch (error) {
        if (!this.#shallRetry(error, options, deadline)) throw error;
      }
      if (retries > 0) await this.#pause(retries, deadline, options.signal);
    }
  }

  /** Nothing is asked or asked again any more; what is in flight goes on. */
  close(): void {
    this.#closed.abort();
  }

  async #attempt(payload: Out, { signal }: RequestOptions, started: number, deadline: number): Promise<In> {
    const { sharing, config, clock } = this.#settings;
    const timeout = Math.min(config.acquireTimeout, deadline - started);
    const place = sharing.enter({ timeout, signal });
    const shared = place instanceof Promise ? await place : place;
    const now = place === shared ? started : clock.now();
    this.waits.record(now - started);
    let givenUp = false;
    try {
      const left = Math.max(1, Math.ceil(deadline - now));
      const answer = await shared.connection.request(payload, { timeout: left, signal });
      shared.endpoint.answered(clock.now());
      return answer;
    } catch (error) {
      givenUp = true;
      this.#learn(shared, error, started);
      throw error;
    } finally {
      sharing.leave(shared, givenUp);
    }
  }

  // A request that outlives its caller’s patience is no sign of illness; an endpoint that answers nobody is.
  #learn({ endpoint }: Shared<In, Out>, error: unknown, started: number): void {
    const silent = isSilence(error) && endpoint.answeredAt < started;
    if (silent || isLostConnection(error)) this.#settings.balancer.doubt(endpoint, 'silent', error);
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
    const ends = signal ? AbortSignal.any([signal, this.#closed.signal]) : this.#closed.signal;
    return pause(clock, Math.min(delay, deadline - clock.now()), ends);
  }
}
