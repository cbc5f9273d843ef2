import { setMaxListeners } from 'node:events';
import { asError, backOffDelay, withDeadline } from '@knsock/core/options';
import { channels } from './channels.js';
import type { Timer } from '../clock.js';
import type { Factory, PoolConfig } from './config.js';
import { discard, signalFailed } from './factory-calls.js';
import { PoolClosedError, PoolError } from './errors.js';
import type { PoolFailure } from './stats.js';

/** Creates resources, with increasing back-off after failures. */
export class Creator<T> {
  readonly #factory: Factory<T>;
  readonly #config: PoolConfig;
  readonly #stop = new AbortController();
  #failure: PoolFailure | undefined;
  #failedAt = -Infinity;
  /** How many in a row made something that was dead before it was of use; one that only succeeds doesn't end the row. */
  #wasted = 0;
  #notBefore = -Infinity;
  #retry: Timer | undefined;

  constructor(factory: Factory<T>, config: PoolConfig) {
    this.#factory = factory;
    this.#config = config;
    // Every running attempt listens to it, and Node warns of a leak from eleven listeners on.
    setMaxListeners(0, this.#stop.signal);
  }

  /** The last failure, until an attempt succeeds. */
  get failure(): PoolFailure | undefined {
    return this.#failure;
  }

  /** Rejects with what `create` threw, or a PoolError when that took longer than `createTimeout`. */
  async make(): Promise<T> {
    const { clock, createTimeout, name } = this.#config;
    const started = clock.now();
    try {
      const resource = await withDeadline({
        ms: createTimeout,
        signal: this.#stop.signal,
        run: (signal) => this.#factory.create({ signal }),
        clock,
        signalFailed: signalFailed(this.#config, 'create'),
        late: () =>
          new PoolError('KNSOCK_POOL_CREATE_TIMEOUT', `creating took longer than ${createTimeout} ms`, {
            retryable: true,
          }),
        discard: (late) => void discard(this.#factory, this.#config, late),
      });
      this.#failure = undefined;
      this.#notBefore = -Infinity;
      if (channels.created.hasSubscribers)
        channels.created.publish({ pool: name, resource, ms: clock.now() - started });
      return resource;
    } catch (thrown) {
      const error = asError(thrown);
      this.#failed(error, started);
      throw error;
    }
  }

  /**
   * What was made is dead before it was of use: as bad as a failed attempt.
   * @param made when
   * @returns whether it counts: one that lived for longer than the longest back-off doesn't, nor do those made together
   */
  wasted(error: unknown, made: number): boolean {
    const { clock, backOff } = this.#config;
    if (clock.now() - made > backOff.longest) this.#wasted = 0;
    else if (made > this.#failedAt && !this.#stop.signal.aborted) {
      this.#wasted += 1;
      this.#backOff(error, this.#wasted);
      return true;
    }
    return false;
  }

  /** What was made is of use. */
  proved(): void {
    this.#wasted = 0;
  }

  /** Whether an attempt may start now; if not, calls back when it may. */
  mayStart(whenReady: () => void): boolean {
    if (this.#stop.signal.aborted) return false;
    const left = this.#notBefore - this.#config.clock.now();
    if (left <= 0) return true;
    this.#retry ??= this.#config.clock.after(Math.ceil(left), () => {
      this.#retry = undefined;
      whenReady();
    });
    return false;
  }

  /** The next attempt isn't needed any more. */
  rest(): void {
    this.#retry?.cancel();
    this.#retry = undefined;
  }

  /** Ends the back-off. */
  hurry(): void {
    this.rest();
    this.#notBefore = -Infinity;
  }

  /** Aborts the running attempts. */
  stop(): void {
    this.rest();
    this.#stop.abort(new PoolClosedError());
  }

  // Concurrent attempts fail together and count once.
  #failed(error: unknown, started: number): void {
    if (this.#stop.signal.aborted) return;
    const before = this.#failure?.count ?? 0;
    const isAnother = before === 0 || started > this.#failedAt;
    if (isAnother) this.#backOff(error, before + 1);
    else this.#record(error, before);
  }

  #backOff(error: unknown, count: number): void {
    const { clock, backOff, random } = this.#config;
    this.#failedAt = clock.now();
    this.#notBefore = this.#failedAt + backOffDelay(backOff, count, random);
    this.#record(error, count);
  }

  #record(error: unknown, count: number): void {
    const { clock, name } = this.#config;
    this.#failure = { error, at: new Date(), count };
    if (!channels.createFailed.hasSubscribers) return;
    channels.createFailed.publish({
      pool: name,
      error,
      failures: count,
      retryIn: this.#notBefore - clock.now(),
    });
  }
}
