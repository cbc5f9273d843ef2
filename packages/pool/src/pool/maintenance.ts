import { setMaxListeners } from 'node:events';
import type { Factory, PoolConfig, DestroyReason } from './config.js';
import { dueAt, judge } from './eviction.js';
import { isUntouched, whyDead } from './factory-calls.js';
import { Housekeeper } from './housekeeper.js';
import type { Slot, Slots } from './slots.js';

/** Carries out the decisions of maintenance. */
export interface MaintenanceHost<T> {
  readonly slots: Slots<T>;
  /** Destroy this one now. @param why what its check found */
  dispose(slot: Slot<T>, reason: DestroyReason, why?: Error): void;
  /** Destroy this one when it is released. */
  retire(slot: Slot<T>, reason: DestroyReason): void;
  /** This one is alive and idle again. */
  rest(slot: Slot<T>, now: number): void;
}

/** Maintains the resources of a pool: destroys those too old or unused too long, and checks those that may be dead. */
export class Maintenance<T> {
  readonly #factory: Factory<T>;
  readonly #config: PoolConfig;
  readonly #host: MaintenanceHost<T>;
  readonly #housekeeper: Housekeeper;
  readonly #stop = new AbortController();

  constructor(factory: Factory<T>, config: PoolConfig, host: MaintenanceHost<T>) {
    this.#factory = factory;
    // Without a way to validate there is nothing to keep alive.
    this.#config = factory.validate ? config : { ...config, keepalive: Infinity, validateAfter: Infinity };
    this.#host = host;
    // Every running check listens to it, and Node warns of a leak from eleven listeners on.
    setMaxListeners(0, this.#stop.signal);
    this.#housekeeper = new Housekeeper(config.clock, (now) => this.#sweep(now));
  }

  /** This one became idle, and is checked later. */
  expect(slot: Slot<T>): void {
    this.#housekeeper.note(dueAt(slot, this.#host.slots.live, this.#config));
  }

  /** Stops maintenance and aborts running checks. */
  stop(): void {
    this.#stop.abort();
    this.#housekeeper.stop();
  }

  /** Whether one must be checked before it is lent: it was unused for too long, or has changed meanwhile. */
  isStale(slot: Slot<T>, now: number): boolean {
    // Strictly greater: one checked at this very moment is fresh, even if everything is to be checked.
    const unseen = now - slot.aliveAt > this.#config.validateAfter;
    return unseen || this.#touched(slot);
  }

  /** Checks whether an idle one is alive; afterwards it is idle again or gone. */
  async check(slot: Slot<T>): Promise<void> {
    const { slots } = this.#host;
    const asked = this.#config.clock.now();
    slots.move(slot, 'checking');
    const why = await whyDead(this.#factory, this.#config, slot.resource as T, this.#stop.signal);
    if (slot.retired) {
      this.#host.dispose(slot, slot.retired);
      return;
    }
    if (why !== undefined || this.#touched(slot)) {
      this.#died(slot, asked, why);
      return;
    }
    slot.aliveAt = this.#config.clock.now();
    this.#host.rest(slot, slot.aliveAt);
  }

  // A new one may be in any state: its server may have sent a greeting.
  #touched(slot: Slot<T>): boolean {
    return slot.lentAt !== -Infinity && !isUntouched(this.#factory, this.#config, slot.resource as T);
  }

  // What killed one has often killed its siblings too: check them at once, rather than delaying a caller for each.
  #died(slot: Slot<T>, asked: number, why: Error | undefined): void {
    this.#host.dispose(slot, 'dead', why);
    for (const other of [...this.#host.slots]) {
      if (other.state === 'idle' && other.aliveAt < asked) void this.check(other);
    }
  }

  #sweep(now: number): number {
    let next = Infinity;
    for (const slot of [...this.#host.slots]) next = Math.min(next, this.#inspect(slot, now));
    return next;
  }

  /** Does what is due for one and returns when it is due next. */
  #inspect(slot: Slot<T>, now: number): number {
    const { live } = this.#host.slots;
    if (slot.state === 'active') return this.#age(slot, now);
    if (slot.state !== 'idle') return Infinity;
    const verdict = judge(slot, live, this.#config, now);
    if (verdict === 'keep') return dueAt(slot, live, this.#config);
    if (verdict === 'check') void this.check(slot);
    else this.#host.dispose(slot, verdict);
    return Infinity;
  }

  #age(slot: Slot<T>, now: number): number {
    if (slot.expiresAt > now) return slot.expiresAt;
    this.#host.retire(slot, 'lifetime');
    return Infinity;
  }
}
