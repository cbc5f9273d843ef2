import { failedCall, noConnection, readOptions, reportUnawaited, wrongOptions } from '@knsock/core/options';
import { parsePool, type Factory, type PoolConfig, type PoolOptions, type DestroyReason } from './config.js';
import { watchClose } from './close-watch.js';
import { isReusable } from './factory-calls.js';
import { PoolClosedError, PoolQueueFullError, PoolTimeoutError } from './errors.js';
import { Histogram } from './histogram.js';
import { stackOfCaller } from './leak-detector.js';
import { PoolLease, useLease, type Lease, type Lender } from './lease.js';
import { LeaseWatch } from './lease-watch.js';
import { Readiness } from './readiness.js';
import type { Slot } from './slots.js';
import type { PoolStats } from './stats.js';
import { ResourceStore } from './resource-store.js';
import { isFinal, rejectExpired } from './reject-expired.js';
import * as calls from '../waiting/wait-options.js';
import type { AcquireOptions, PoolCloseOptions, TryOptions, WaitOptions } from '../waiting/wait-options.js';
import { WaitingRoom, type Late } from '../waiting/waiting-room.js';

/**
 * Lends resources of any kind: each to one holder at a time, never more than `max`, to callers in the order of their
 * calls. Nothing polls: a caller is served the moment a resource is released or created, and a new
 * resource goes to the caller that has waited longest when it is ready, not to the call that caused it.
 */
export class Pool<T> implements AsyncDisposable {
  readonly #factory: Factory<T>;
  readonly #config: PoolConfig;
  readonly #store: ResourceStore<T>;
  readonly #room: WaitingRoom<PoolLease<T>>;
  readonly #readiness: Readiness;
  readonly #acquire = new Histogram();
  readonly #watch: LeaseWatch<T> | undefined;
  readonly #lender: Lender<T> = {
    giveBack: (slot, error) => this.#giveBack(slot, error),
    discard: (slot) => this.#discard(slot),
  };
  #suspended = false;
  #closing: Promise<void> | undefined;
  #timeouts = 0;

  /** @throws InvalidOptionError naming the invalid option */
  constructor(options: PoolOptions<T>) {
    this.#factory = options;
    this.#config = parsePool(options);
    const { clock, min, leakThreshold } = this.#config;
    this.#room = new WaitingRoom(
      clock,
      (late) => this.#late(late),
      () => this.#pump(),
    );
    this.#readiness = new Readiness(
      min,
      clock,
      (late) => this.#late(late),
      () => this.#pump(),
    );
    this.#store = new ResourceStore(options, this.#config, {
      changed: () => this.#pump(),
      cameBack: (now) => this.#serveAll(now),
      created: () => this.#readiness.reached(this.#store.slots.live),
      createFailed: (error) => this.#createFailed(error),
    });
    if (leakThreshold !== Infinity) {
      this.#watch = new LeaseWatch(this.#config, (slot) => {
        if (slot.state === 'active') this.#store.dispose(slot, 'leaked');
      });
    }
    this.#pump();
  }

  /**
   * Lends one resource exclusively.
   * @throws PoolTimeoutError · PoolQueueFullError · PoolClosedError · the signal's reason
   */
  acquire(options?: AcquireOptions<T>): Promise<Lease<T>> {
    const lending = this.#obtain(options);
    return this.#watch && options?.untracked !== true
      ? reportUnawaited(this.#watch.coming(lending, stackOfCaller()), this.#unawaited)
      : lending;
  }

  /** Lends a fitting idle resource at once, if no caller waits; creates nothing. */
  tryAcquire(fits: (resource: T) => boolean, options?: TryOptions): Lease<T> | undefined {
    const wrong = wrongOptions(options, calls.tryOptions);
    if (wrong) throw wrong;
    if (this.#closing || this.#suspended || this.#room.size > 0) return undefined;
    const slot = this.#store.lend(1, fits, undefined, true);
    const lease = slot && this.#lease(slot, 0);
    if (lease && options?.untracked !== true) this.#watch?.begin(lease, stackOfCaller());
    return lease;
  }

  /**
   * Acquires, calls, and always releases. If the function throws, the resource is destroyed unless
   * `reusable` says that its state is certain.
   */
  use<R>(fn: (resource: T) => R | Promise<R>, options?: AcquireOptions<T>): Promise<R> {
    return reportUnawaited(this.#use(fn, options), this.#unawaited);
  }

  async #use<R>(fn: (resource: T) => R | Promise<R>, options?: AcquireOptions<T>): Promise<R> {
    return await useLease(() => this.acquire(options), fn);
  }

  /**
   * Waits until `min` resources exist, and at least one.
   * @throws the failure of the first attempt to create: a wrong address or certificate is reported here at once
   */
  ready(options: WaitOptions = {}): Promise<void> {
    return reportUnawaited(this.#becomeReady(options), this.#unawaited);
  }

  #becomeReady(options: WaitOptions): Promise<void> {
    const wrong = wrongOptions(options, calls.waitOptions);
    if (wrong) return Promise.reject(wrong);
    const { timeout = this.#config.acquireTimeout, signal } = options;
    if (signal?.aborted) return Promise.reject(signal.reason as Error);
    if (this.#closing) return Promise.reject(new PoolClosedError());
    if (this.#readiness.suffices(this.#store.slots.live)) return Promise.resolve();
    const ready = this.#readiness.enter({ timeout, signal });
    this.#store.creator.hurry();
    this.#pump();
    return ready;
  }

  /** Retires a resource (it died, or will be replaced): destroyed now, or when it is released. */
  retire(resource: T, reason: DestroyReason = 'retired'): void {
    this.#store.retire(resource, reason);
  }

  /** The same for every resource that matches. */
  retireWhere(fits: (resource: T) => boolean, reason: DestroyReason = 'retired'): void {
    this.#store.retireWhere(fits, reason);
  }

  /** The same for one resource that matches, an idle one if there is one; returns it. */
  retireOne(fits: (resource: T) => boolean, reason: DestroyReason = 'retired'): T | undefined {
    return this.#store.retireOne(fits, reason);
  }

  /** Creates one more although no caller waits, as soon as a slot is free. */
  extend(): void {
    this.#store.extend();
    this.#pump();
  }

  /** Replaces all current resources: idle ones at once, lent ones when they are released. */
  softEvict(): void {
    this.#store.retireAll('evicted');
    this.#pump();
  }

  /**
   * Like `softEvict`, but lends existing resources until a new one was created, so that a change that doesn't work
   * (a certificate the server refuses) costs no working resource; but a full pool gives up one for the attempt.
   */
  supersede(): void {
    this.#store.supersede();
    this.#pump();
  }

  /** Lends nothing until `resume()`; callers wait, and their timeouts keep running. */
  suspend(): void {
    this.#suspended = true;
  }

  /** Lends again after `suspend()`. */
  resume(): void {
    this.#suspended = false;
    this.#pump();
  }

  /** How many callers wait. */
  get waiting(): number {
    return this.#room.size;
  }

  /** Whether no further resource may be created. */
  get full(): boolean {
    return this.#store.slots.total >= this.#config.max;
  }

  /** Current counts and times. */
  stats(): PoolStats {
    const { slots, creator, usage, creation, created, destroyed } = this.#store;
    return {
      total: slots.total,
      active: slots.active,
      idle: slots.idle,
      waiting: this.#room.size,
      creating: slots.creating,
      checking: slots.checking,
      closing: slots.closing,
      min: this.#config.min,
      max: this.#config.max,
      suspended: this.#suspended,
      created,
      destroyed,
      timeouts: this.#timeouts,
      leaks: this.#watch?.found ?? 0,
      lastFailure: creator.failure,
      acquire: this.#acquire.snapshot(),
      usage: usage.snapshot(),
      creation: creation.snapshot(),
    };
  }

  /**
   * Rejects waiting callers, destroys idle resources, waits for lent ones until the deadline (milliseconds, default
   * 15,000) and destroys them too. Rejects only where an option is wrong; a second call returns the same promise.
   */
  close(options: PoolCloseOptions = {}): Promise<void> {
    const wrong = wrongOptions(options, calls.closeOptions);
    if (wrong) return this.#failed(wrong);
    const { deadline } = readOptions(options, calls.closeOptions);
    return (this.#closing ??= this.#shutDown(deadline));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #obtain(options?: AcquireOptions<T>): Promise<PoolLease<T>> {
    const wrong = wrongOptions(options as AcquireOptions<never> | undefined, calls.acquireOptions);
    if (wrong) return this.#failed(wrong);
    if (options?.signal?.aborted) return this.#failed(options.signal.reason as Error);
    if (this.#closing) return this.#failed(new PoolClosedError());
    if (this.#room.size === 0 && !this.#suspended) {
      const slot = this.#store.lend(1, options?.prefer);
      if (slot) return Promise.resolve(this.#lease(slot, 0));
    }
    return this.#wait(options);
  }

  #wait({ timeout = this.#config.acquireTimeout, signal }: WaitOptions = {}): Promise<PoolLease<T>> {
    const { maxWaiters } = this.#config;
    if (this.#room.size >= maxWaiters) return this.#failed(new PoolQueueFullError(maxWaiters, this.stats()));
    if (timeout === 0) return this.#failed(new PoolTimeoutError(0, this.stats()));
    const lease = reportUnawaited(this.#room.enter({ timeout, signal }), this.#unawaited);
    this.#pump();
    return lease;
  }

  #failed<R>(error: Error): Promise<R> {
    return failedCall(error, this.#unawaited);
  }

  readonly #unawaited = (error: Error): void => {
    const { failures, name } = this.#config;
    failures.report(error, noConnection, `a call of ${name} that was not awaited`);
  };

  /** Serves all callers that can be served, and starts as many creations as are still needed. */
  #pump(): void {
    if (this.#closing) return;
    this.#serveAll();
    this.#store.grow({ waiting: this.#suspended ? 0 : this.#room.size, target: this.#readiness.target });
  }

  #serveAll(now?: number): void {
    if (this.#room.size === 0 || this.#suspended) return;
    const { slots } = this.#store;
    for (let idle = slots.idle; idle > 0 && this.#room.size > 0; idle = slots.idle) {
      const slot = this.#store.lend(this.#room.size, undefined, now);
      const waiter = slot && this.#room.next();
      if (waiter) waiter.resolve(this.#lease(slot, slot.lentAt - waiter.since));
      else if (slots.idle === idle) return;
    }
  }

  #lease(slot: Slot<T>, waited: number): PoolLease<T> {
    this.#acquire.record(waited);
    return new PoolLease(this.#lender, slot);
  }

  #giveBack(slot: Slot<T>, error: unknown): void {
    this.#watch?.end(slot);
    this.#store.giveBack(slot, !isReusable(this.#factory, this.#config, slot.resource as T, error));
  }

  #discard(slot: Slot<T>): void {
    this.#watch?.end(slot);
    if (slot.state === 'active') this.#store.dispose(slot, 'discarded');
  }

  /** Waiting callers receive it; without any, an attempt to keep `min` failed. */
  #createFailed(error: unknown): void {
    const awaited = this.#room.size > 0 || this.#readiness.awaited || this.#closing !== undefined;
    if (!awaited) this.#config.failures.report(error, noConnection, `create() of ${this.#config.name}`);
    if (isFinal(error) && this.#store.slots.live === 0) this.#room.clear(() => error);
    this.#readiness.fail(error);
  }

  #late(late: readonly Late[]): void {
    this.#timeouts += late.length;
    rejectExpired(this.#config.name, late, this.stats());
  }

  async #shutDown(deadline: number): Promise<void> {
    const { slots } = this.#store;
    this.#room.clear(() => new PoolClosedError());
    this.#readiness.fail(new PoolClosedError());
    this.#watch?.stop();
    this.#store.stop();
    const watching = watchClose(this.#config, deadline, slots);
    await this.#store.empty(deadline);
    watching.cancel();
    for (const slot of [...slots]) if (slot.state === 'active') this.#store.dispose(slot, 'overdue');
    const { validateTimeout, destroyTimeout } = this.#config;
    await this.#store.empty(validateTimeout + destroyTimeout);
  }
}
