import { setMaxListeners } from 'node:events';
import type { Factory, PoolConfig, Reason } from './config.js';
import { dueAt, judge } from './eviction.js';
import { isAlive, isUntouched } from './factory-calls.js';
import { Housekeeper } from './housekeeper.js';
import type { Slot, Slots } from './slots.js';

/** Who carries out what maintenance finds. */
export interface MaintenanceHost<T> {
  readonly slots: Slots<T>;
  /** This one goes now. */
  dispose(slot: Slot<T>, reason: Reason): void;
  /** This one goes when it comes back. */
  retire(slot: Slot<T>, reason: Reason): void;
  /** This one was seen alive and is idle again. */
  rest(slot: Slot<T>, now: number): void;
}

/** Looks after the resources of a pool: those too old or unused too long go, and what may have died is checked. */
export class Maintenance<T> {
  readonly #factory: Factory<T>;
  readonly #config: PoolConfig;
  readonly #host: MaintenanceHost<T>;
  readonly #housekeeper: Housekeeper;
  readonly #stop = new AbortController();

  constructor(factory: Factory<T>, config: PoolConfig, host: MaintenanceHost<T>) {
    this.#factory = factory;
    // Without a way to see whether something is alive there is nothing to keep alive.
    this.#config = factory.validate ? config : { ...config, keepalive: Infinity, validateAfter: Infinity };
    this.#host = host;
    // Every check under way listens to it, and Node warns of a leak from eleven on.
    setMaxListeners(0, this.#stop.signal);
    this.#housekeeper = new Housekeeper(config.clock, (now) => this.#sweep(now));
  }

  /** This one became idle, and will need a look some time. */
  expect(slot: Slot<T>): void {
    this.#housekeeper.note(dueAt(slot, this.#host.slots.live, this.#config));
  }

  /** Nothing is looked at any more, and checks under way are given up. */
  stop(): void {
    this.#stop.abort();
    this.#housekeeper.stop();
  }

  /** Whether one was unused for so long that it is checked before it is lent, or something happened to it meanwhile. */
  isStale(slot: Slot<T>, now: number): boolean {
    // Strictly: one that was checked this moment is fresh, even where everything is to be checked.
    const unseen = now - slot.aliveAt > this.#config.validateAfter;
    return unseen || this.#touched(slot);
  }

  /** Sees whether an idle one lives; it is idle again or gone afterwards. */
  async check(slot: Slot<T>): Promise<void> {
    const { slots } = this.#host;
    const asked = this.#config.clock.now();
    slots.move(slot, 'checking');
    const alive = await isAlive(this.#factory, this.#config, slot.resource as T, this.#stop.signal);
    if (slot.retired) {
      this.#host.dispose(slot, slot.retired);
      return;
    }
    if (!alive || this.#touched(slot)) {
      this.#died(slot, asked);
      return;
    }
    slot.aliveAt = this.#config.clock.now();
    this.#host.rest(slot, slot.aliveAt);
  }

  // A new one may be in any state: its server may have greeted.
  #touched(slot: Slot<T>): boolean {
    return slot.lentAt !== -Infinity && !isUntouched(this.#factory, this.#config, slot.resource as T);
  }

  // What killed one has often killed its siblings too: see at once, rather than letting each keep a caller waiting.
  #died(slot: Slot<T>, asked: number): void {
    this.#host.dispose(slot, 'dead');
    for (const other of [...this.#host.slots]) {
      if (other.state === 'idle' && other.aliveAt < asked) void this.check(other);
    }
  }

  #sweep(now: number): number {
    let next = Infinity;
    for (const slot of [...this.#host.slots]) next = Math.min(next, this.#inspect(slot, now));
    return next;
  }

  /** Does what is due for one and returns when something is due for it next. */
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
