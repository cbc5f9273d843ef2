import type { DestroyReason } from './config.js';

/**
 * The slots of a pool, at most `max`, each in one state.
 *
 *     creating ─→ idle ─→ active ─→ idle …
 *        │        │  ↖       │
 *        │        ↓    ╲     │
 *        │      checking     │            every arrow down: closing ─→ gone
 *
 * Rules
 * - A slot counts against `max` from the moment its creation starts until its destruction has ended.
 * - Only an idle slot can be lent, and lending makes it active: no resource ever has two holders.
 * - Nothing here waits, calls back or reads the clock.
 */
export type SlotState = 'creating' | 'idle' | 'checking' | 'active' | 'closing' | 'gone';

const legal: Readonly<Record<SlotState, readonly SlotState[]>> = {
  creating: ['idle', 'gone'],
  idle: ['active', 'checking', 'closing'],
  checking: ['idle', 'closing'],
  active: ['idle', 'closing'],
  closing: ['gone'],
  gone: [],
};

/** One slot of the pool; times are the clock's. */
export interface Slot<T> {
  state: SlotState;
  /** Set once its creation has ended. */
  resource: T | undefined;
  /** The generation of the pool that created it; an older one is superseded. */
  readonly generation: number;
  /** When it must be replaced. */
  expiresAt: number;
  /** When it was last released, or created. */
  usedAt: number;
  /** When it was last known to be alive. */
  aliveAt: number;
  /** When it was lent last; `-Infinity` before the first time. */
  lentAt: number;
  /** Why it is retired, if it is. */
  retired: DestroyReason | undefined;
}

export class Slots<T> {
  readonly max: number;
  readonly #fifo: boolean;
  readonly #all = new Set<Slot<T>>();
  readonly #idle: Slot<T>[] = [];
  #creating = 0;
  #checking = 0;
  #closing = 0;

  constructor(max: number, reuse: 'lifo' | 'fifo') {
    this.max = max;
    this.#fifo = reuse === 'fifo';
  }

  /** Everything that counts against `max`. */
  get total(): number {
    return this.#all.size;
  }

  get creating(): number {
    return this.#creating;
  }

  get checking(): number {
    return this.#checking;
  }

  get closing(): number {
    return this.#closing;
  }

  get idle(): number {
    return this.#idle.length;
  }

  get active(): number {
    return this.live - this.#idle.length - this.#checking;
  }

  /** What exists and isn't being destroyed. */
  get live(): number {
    return this.#all.size - this.#creating - this.#closing;
  }

  [Symbol.iterator](): Iterator<Slot<T>> {
    return this.#all.values();
  }

  /** A slot for a new resource. */
  open(generation: number): Slot<T> {
    if (this.#all.size >= this.max) throw new RangeError(`a slot beyond max ${this.max}`);
    const slot: Slot<T> = {
      state: 'creating',
      resource: undefined,
      generation,
      expiresAt: Infinity,
      usedAt: 0,
      aliveAt: 0,
      lentAt: -Infinity,
      retired: undefined,
    };
    this.#all.add(slot);
    this.#creating += 1;
    return slot;
  }

  /** The next idle slot: the last one released, or the first under `fifo`. */
  next(): Slot<T> | undefined {
    return this.#fifo ? this.#idle[0] : this.#idle[this.#idle.length - 1];
  }

  /** The next idle slot among those that match. */
  find(fits: (slot: Slot<T>) => boolean): Slot<T> | undefined {
    return this.#fifo ? this.#idle.find(fits) : this.#idle.findLast(fits);
  }

  /** Lends an idle one: what `move` to active does, without a check of the table. */
  lend(slot: Slot<T>): void {
    if (slot.state !== 'idle') throw impossible(slot.state, 'active');
    slot.state = 'active';
    this.#leaveIdle(slot);
  }

  /** Takes a lent one back: what `move` to idle does, without a check of the table. */
  takeBack(slot: Slot<T>): void {
    if (slot.state !== 'active') throw impossible(slot.state, 'idle');
    slot.state = 'idle';
    this.#idle.push(slot);
  }

  /** @throws RangeError if the table above doesn't allow it, which is a bug in the pool */
  move(slot: Slot<T>, to: SlotState): void {
    const from = slot.state;
    if (!legal[from].includes(to)) throw impossible(from, to);
    slot.state = to;
    if (from === 'idle') this.#leaveIdle(slot);
    else if (from !== 'active') this.#count(from, -1);
    if (to === 'idle') this.#idle.push(slot);
    else if (to === 'gone') this.#all.delete(slot);
    else if (to !== 'active') this.#count(to, 1);
  }

  // Idle and active are derived: counting only the rare states keeps lending cheap.
  #count(state: SlotState, by: 1 | -1): void {
    if (state === 'creating') this.#creating += by;
    else if (state === 'checking') this.#checking += by;
    else if (state === 'closing') this.#closing += by;
  }

  #leaveIdle(slot: Slot<T>): void {
    if (this.#idle[this.#idle.length - 1] === slot) this.#idle.pop();
    else this.#idle.splice(this.#idle.indexOf(slot), 1);
  }
}

function impossible(from: SlotState, to: SlotState): RangeError {
  return new RangeError(`a slot can't go from ${from} to ${to}`);
}
