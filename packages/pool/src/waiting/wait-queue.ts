/** One caller in the queue; `deadline` is on the clock's scale. */
export interface Waiter<T> {
  readonly deadline: number;
  readonly since: number;
  readonly resolve: (value: T) => void;
  readonly reject: (reason: unknown) => void;
  /** Called when the waiter leaves the queue, whatever the reason. */
  readonly leave: (() => void) | undefined;
  previous: Waiter<T> | undefined;
  next: Waiter<T> | undefined;
  queued: boolean;
}

/** First in, first out, with removal from the middle at constant cost: a doubly linked list. */
export class WaitQueue<T> {
  #first: Waiter<T> | undefined;
  #last: Waiter<T> | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(waiter: Waiter<T>): void {
    waiter.queued = true;
    waiter.previous = this.#last;
    if (this.#last) this.#last.next = waiter;
    else this.#first = waiter;
    this.#last = waiter;
    this.#size += 1;
  }

  /** Removes the waiter that has waited longest. */
  shift(): Waiter<T> | undefined {
    const first = this.#first;
    if (first) this.remove(first);
    return first;
  }

  /** Whether the waiter was still in the queue. */
  remove(waiter: Waiter<T>): boolean {
    if (!waiter.queued) return false;
    waiter.queued = false;
    if (waiter.previous) waiter.previous.next = waiter.next;
    else this.#first = waiter.next;
    if (waiter.next) waiter.next.previous = waiter.previous;
    else this.#last = waiter.previous;
    waiter.previous = waiter.next = undefined;
    this.#size -= 1;
    waiter.leave?.();
    return true;
  }

  /** Removes all waiters whose deadline has passed, in order. */
  expired(now: number): Waiter<T>[] {
    const late = [...this].filter((waiter) => waiter.deadline <= now);
    for (const waiter of late) this.remove(waiter);
    return late;
  }

  /** The earliest deadline; `Infinity` if no caller waits. */
  earliest(): number {
    let earliest = Infinity;
    for (const waiter of this) earliest = Math.min(earliest, waiter.deadline);
    return earliest;
  }

  *[Symbol.iterator](): Iterator<Waiter<T>> {
    for (let waiter = this.#first; waiter; waiter = waiter.next) yield waiter;
  }
}
