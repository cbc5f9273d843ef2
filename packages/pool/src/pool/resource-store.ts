import { channels } from './channels.js';
import type { Factory, PoolConfig, DestroyReason } from './config.js';
import { Emptying } from './emptying.js';
import { UnusableError } from './errors.js';
import { lifetime } from './eviction.js';
import { announceRetirement, destroy, ownLifetime } from './factory-calls.js';
import { Histogram } from './histogram.js';
import { Creator } from './creator.js';
import { Slots, type Slot } from './slots.js';
import { creationsWanted } from './supply.js';
import { Maintenance } from './maintenance.js';

/** Receives the events of the resources. */
export interface ResourceStoreListener {
  /** A resource may have become idle, or a slot free. */
  changed(): void;
  /** One is idle again, and nothing else has changed; `now` saves reading the clock again. */
  cameBack(now: number): void;
  created(): void;
  createFailed(error: unknown): void;
}

/** How many are needed at the moment. */
export interface Need {
  readonly waiting: number;
  readonly target: number;
}

/** Whether one was of no use: as bad as a failed attempt to create it. */
function isStillborn<T>(slot: Slot<T>, reason: DestroyReason): boolean {
  const isDead = reason === 'dead' || (reason === 'lifetime' && slot.expiresAt <= slot.usedAt);
  return isDead && wasNeverLent(slot);
}

function wasNeverLent<T>({ lentAt }: Slot<T>): boolean {
  return lentAt === -Infinity;
}

/** The resources of a pool and their life cycle, from creation to destruction; it doesn't know the callers. */
export class ResourceStore<T> {
  readonly slots: Slots<T>;
  readonly creator: Creator<T>;
  readonly usage = new Histogram();
  readonly creation = new Histogram();
  created = 0;
  destroyed = 0;
  readonly #factory: Factory<T>;
  readonly #config: PoolConfig;
  readonly #listener: ResourceStoreListener;
  readonly #maintenance: Maintenance<T>;
  readonly #byResource = new Map<T, Slot<T>>();
  readonly #emptying = new Emptying();
  #generation = 0;
  #renewing = false;
  #extending = false;

  constructor(factory: Factory<T>, config: PoolConfig, listener: ResourceStoreListener) {
    this.#factory = factory;
    this.#config = config;
    this.#listener = listener;
    this.slots = new Slots(config.max, config.reuse);
    this.creator = new Creator(factory, config);
    this.#maintenance = new Maintenance(factory, config, {
      slots: this.slots,
      dispose: (slot, reason, why) => this.dispose(slot, reason, why),
      retire: (slot, reason) => this.#retire(slot, reason),
      rest: (slot, now) => {
        this.slots.move(slot, 'idle');
        this.#rested(slot, now);
      },
    });
  }

  /**
   * Lends an idle one, if possible one that `prefer` accepts; with `only` no other. One that was unused for
   * long is checked first, unless as many are being checked as callers wait; meanwhile a fresh one will do.
   */
  lend(
    waiting: number,
    prefer?: (resource: T) => boolean,
    now = this.#config.clock.now(),
    only = false,
  ): Slot<T> | undefined {
    let slot = prefer && this.slots.find((idle) => prefer(idle.resource as T));
    if (!only) slot ??= this.slots.next();
    if (slot !== undefined && this.#maintenance.isStale(slot, now)) {
      if (waiting > this.slots.checking) void this.#maintenance.check(slot);
      slot = only ? undefined : this.slots.find((idle) => !this.#maintenance.isStale(idle, now));
    }
    if (slot === undefined) return undefined;
    if (wasNeverLent(slot)) this.creator.proved();
    slot.lentAt = now;
    this.slots.lend(slot);
    return slot;
  }

  /** Takes one back; it isn't kept if it is superseded, too old or `dirty`. */
  giveBack(slot: Slot<T>, dirty: boolean): void {
    // One that was destroyed when the pool closed is already done.
    if (slot.state !== 'active') return;
    const now = this.#config.clock.now();
    this.usage.record(now - slot.lentAt);
    slot.usedAt = slot.aliveAt = now;
    const unfit = dirty ? 'unclean' : this.#unfit(slot, now);
    if (unfit) return this.dispose(slot, unfit);
    this.slots.takeBack(slot);
    this.#rested(slot, now);
  }

  /** Starts as many creations as are needed and allowed now. */
  grow({ waiting, target }: Need): void {
    const { total, live, creating, checking, max } = this.slots;
    const failing = this.creator.failure !== undefined;
    const another = this.#renewing || this.#extending;
    const wanted = creationsWanted({
      waiting,
      target,
      total,
      live,
      creating,
      checking,
      max,
      another,
      failing,
    });
    if (wanted === 0) return this.creator.rest();
    if (!this.creator.mayStart(() => this.#listener.changed())) return;
    for (let started = 0; started < wanted; started += 1) void this.#create();
  }

  /** Creates one more than are needed, as soon as a slot is free. */
  extend(): void {
    this.#extending = true;
  }

  /** Retires this one: destroyed now, or when it is released. */
  retire(resource: T, reason: DestroyReason): void {
    const slot = this.#byResource.get(resource);
    if (slot === undefined) return;
    // Its server ends it, and may end the next one as well.
    if (reason === 'retired' && slot.state === 'idle' && wasNeverLent(slot)) this.#stillborn(slot, undefined);
    this.#retire(slot, reason);
  }

  retireWhere(fits: (resource: T) => boolean, reason: DestroyReason): void {
    for (const [resource, slot] of [...this.#byResource]) if (fits(resource)) this.#retire(slot, reason);
  }

  /** The same for one that matches, an idle one if there is one; returns it. */
  retireOne(fits: (resource: T) => boolean, reason: DestroyReason): T | undefined {
    const candidates = [...this.#byResource.values()].filter(
      ({ resource, retired }) => retired === undefined && fits(resource as T),
    );
    const slot = candidates.find(({ state }) => state === 'idle') ?? candidates[0];
    if (slot) this.#retire(slot, reason);
    return slot?.resource;
  }

  /** The same for all current ones, including those being created. */
  retireAll(reason: DestroyReason): void {
    for (const slot of [...this.slots]) this.#retire(slot, reason);
  }

  /** Replaces all current ones, as soon as the first new one exists. */
  supersede(): void {
    this.#generation += 1;
    this.#renewing = this.slots.total > 0;
    if (this.slots.total === this.slots.max) this.#makeRoom();
  }

  /** Nothing is created, checked or expired any more. */
  stop(): void {
    this.creator.stop();
    this.#maintenance.stop();
    this.retireAll('closed');
  }

  /** Waits until none is left, or for the deadline; milliseconds. */
  empty(deadline: number): Promise<void> {
    return this.slots.total === 0 ? Promise.resolve() : this.#emptying.wait(this.#config.clock, deadline);
  }

  /** Destroys one that isn't being created. @param why what its check found */
  dispose(slot: Slot<T>, reason: DestroyReason, why?: Error): void {
    const resource = slot.resource as T;
    this.slots.move(slot, 'closing');
    if (isStillborn(slot, reason)) this.#stillborn(slot, why);
    this.#byResource.delete(resource);
    const { name } = this.#config;
    if (channels.destroyed.hasSubscribers) channels.destroyed.publish({ pool: name, resource, reason });
    destroy(this.#factory, this.#config, resource, reason, () => {
      this.#gone(slot);
    });
  }

  // Without a pause the next attempt would follow at once, and the one after that.
  #stillborn(slot: Slot<T>, why: Error | undefined): void {
    const error = new UnusableError(why);
    const counts = this.creator.wasted(error, slot.usedAt);
    const left = this.slots.live - (slot.state === 'closing' ? 0 : 1);
    // A server that is restarted just when the first connection was made is no news where nobody misses it.
    if (counts && left < this.#config.min) this.#listener.createFailed(error);
  }

  #gone(slot: Slot<T>): void {
    this.slots.move(slot, 'gone');
    this.destroyed += 1;
    this.#freed();
  }

  #freed(): void {
    if (this.slots.total === 0) this.#emptying.reached();
    this.#listener.changed();
  }

  async #create(): Promise<void> {
    const { clock } = this.#config;
    const slot = this.slots.open(this.#generation);
    const started = clock.now();
    let resource: T;
    this.#extending = false;
    try {
      resource = await this.creator.make();
    } catch (error) {
      this.slots.move(slot, 'gone');
      this.#listener.createFailed(error);
      this.#freed();
      return;
    }
    this.creation.record(clock.now() - started);
    this.#arrived(slot, resource);
  }

  #arrived(slot: Slot<T>, resource: T): void {
    const { clock, maxLifetime, random } = this.#config;
    const now = clock.now();
    this.created += 1;
    slot.resource = resource;
    slot.usedAt = slot.aliveAt = now;
    slot.expiresAt = now + lifetime(maxLifetime, ownLifetime(this.#factory, this.#config, resource), random);
    this.#byResource.set(resource, slot);
    this.slots.move(slot, 'idle');
    if (slot.retired) return this.dispose(slot, slot.retired);
    this.#maintenance.expect(slot);
    if (this.#renewing && slot.generation === this.#generation) this.#renewed();
    this.#listener.created();
    this.#listener.changed();
  }

  // A new one works: destroy the old ones, now that they are no longer the only ones.
  #renewed(): void {
    this.#renewing = false;
    for (const slot of [...this.slots]) {
      if (slot.generation < this.#generation) this.#retire(slot, 'superseded');
    }
  }

  #rested(slot: Slot<T>, now: number): void {
    this.#maintenance.expect(slot);
    this.#listener.cameBack(now);
  }

  #unfit(slot: Slot<T>, now: number): DestroyReason | undefined {
    if (slot.retired) return slot.retired;
    if (slot.expiresAt <= now) return 'lifetime';
    return this.#renewing && this.#givesWay(slot) ? 'superseded' : undefined;
  }

  // While no new one works, an old one is destroyed only to free a slot for the attempt.
  #givesWay(slot: Slot<T>): boolean {
    const full = this.slots.total === this.slots.max && this.slots.creating === 0;
    return full && slot.generation < this.#generation;
  }

  #makeRoom(): void {
    const old = this.slots.find((slot) => this.#givesWay(slot));
    if (old) this.dispose(old, 'superseded');
  }

  #retire(slot: Slot<T>, reason: DestroyReason): void {
    if (slot.state === 'idle') return this.dispose(slot, reason);
    const told = slot.retired !== undefined;
    slot.retired ??= reason;
    if (slot.state === 'active' && !told)
      announceRetirement(this.#factory, this.#config, slot.resource as T, reason);
  }
}
