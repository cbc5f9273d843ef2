/**
 * Received messages on their way to whoever asked for them: a listener, `receive()` or `for await`. Without one, or
 * while paused, they wait here.
 */
import { ConnectionTimeoutError } from '../errors/index.js';

/** How the stream of messages ended: `null` while it goes on. */
type Ending = { error: Error | undefined } | null;

/** What holding a message costs beside its payload, about. */
const MESSAGE_COST = 128;

interface Waiter<In> {
  settle(message: In): void;
  end(error: Error | undefined): void;
}

/** What an inbox tells its connection. */
export interface InboxEvents {
  /** All waiting messages were taken. */
  emptied(): void;
  /** The program waits for the next message. */
  parked(): void;
  /** An asynchronous listener works on a message. */
  working(work: PromiseLike<unknown>): void;
}

export type MessageListener<In> = (message: In) => unknown;

export class Inbox<In> {
  readonly #events: InboxEvents;
  readonly #maxWorking: number;
  #working = 0;
  #messages: In[] = [];
  #sizes: number[] = [];
  #head = 0;
  #waiters: Waiter<In>[] = [];
  #listener: MessageListener<In> | null = null;
  #paused = false;
  #flowing = false;
  #ending: Ending = null;

  /** What waits here, in bytes: a message costs memory beyond its payload, which may be empty. */
  heldBytes = 0;
  /** Whether anybody ever asked for messages. */
  consumed = false;
  /** Whether the end was told to a `receive()` or an iteration. */
  endTold = false;

  /** @param maxWorking the most messages that an asynchronous listener works on at once */
  constructor(events: InboxEvents, maxWorking: number) {
    this.#events = events;
    this.#maxWorking = maxWorking;
  }

  get length(): number {
    return this.#messages.length - this.#head;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** Whether the program has taken all there is and waits for more. */
  get isParked(): boolean {
    return this.#waiters.length > 0;
  }

  push(message: In, bytes: number): void {
    if (this.#flowing) {
      this.#tell(message);
      return;
    }
    const waiter = this.#paused ? undefined : this.#waiters.shift();
    if (waiter !== undefined) {
      waiter.settle(message);
      return;
    }
    this.#messages.push(message);
    this.#sizes.push(bytes + MESSAGE_COST);
    this.heldBytes += bytes + MESSAGE_COST;
  }

  /** No more messages will come; those waiting are still delivered first. */
  end(error: Error | undefined): void {
    if (this.#ending !== null) return;
    this.#ending = { error };
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter.end(error);
    if (waiters.length > 0) this.endTold = true;
  }

  listen(listener: MessageListener<In>): void {
    this.consumed = true;
    this.#listener = listener;
    this.#flow();
  }

  /** An asynchronous listener is done with a message. */
  worked(): void {
    this.#working -= 1;
    if (!this.#flowing) this.#flow();
  }

  pause(): void {
    this.#paused = true;
    this.#flowing = false;
  }

  resume(): void {
    this.#paused = false;
    while (this.#waiters.length > 0 && this.length > 0) this.#waiters.shift()?.settle(this.#take());
    this.#flow();
  }

  /** The next message, or null at the end. */
  receive(signal: AbortSignal | undefined, timeout: number | undefined): Promise<In | null> {
    this.consumed = true;
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    if (this.length > 0 && !this.#paused) return Promise.resolve(this.#take());
    if (this.#ending !== null && this.length === 0) return this.#ended();
    return new Promise((resolve, reject) => {
      this.#wait(resolve, reject, signal, timeout);
    });
  }

  /** The iterator behind `for await`: hand-made, since an async generator costs twice as much per message. */
  iterate(): AsyncIterableIterator<In> {
    const next = (): Promise<IteratorResult<In>> => {
      this.consumed = true;
      if (this.length > 0 && !this.#paused) return Promise.resolve({ value: this.#take(), done: false });
      return this.receive(undefined, undefined).then(asResult<In>);
    };
    return {
      next,
      return: () => Promise.resolve({ value: undefined, done: true }),
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  /** Takes everything that waits, for somebody who goes on with the bytes. */
  takeAll(): In[] {
    const rest = this.#messages.slice(this.#head);
    this.#messages = [];
    this.#sizes = [];
    this.#head = 0;
    this.heldBytes = 0;
    return rest;
  }

  #ended(): Promise<null> {
    this.endTold = true;
    const error = this.#ending?.error;
    return error === undefined ? Promise.resolve(null) : Promise.reject(error);
  }

  #wait(
    resolve: (message: In | null) => void,
    reject: (error: Error) => void,
    signal: AbortSignal | undefined,
    timeout: number | undefined,
  ): void {
    // eslint-disable-next-line prefer-const -- set once there is a waiter to time out
    let timer: NodeJS.Timeout | undefined;
    const leave = (): void => {
      if (timer !== undefined) clearTimeout(timer);
      signal?.removeEventListener('abort', aborted);
      const place = this.#waiters.indexOf(waiter);
      if (place >= 0) this.#waiters.splice(place, 1);
    };
    const aborted = (): void => {
      leave();
      reject(signal?.reason as Error);
    };
    const waiter: Waiter<In> = {
      settle: (message) => {
        leave();
        resolve(message);
      },
      end: (error) => {
        leave();
        if (error === undefined) resolve(null);
        else reject(error);
      },
    };
    this.#waiters.push(waiter);
    this.#events.parked();
    signal?.addEventListener('abort', aborted, { once: true });
    if (timeout === undefined) return;
    timer = setTimeout(() => {
      leave();
      reject(new ConnectionTimeoutError('receive', timeout, `no message came within ${timeout} ms`));
    }, timeout);
  }

  #flow(): void {
    const listener = this.#listener;
    if (listener === null || !this.#mayTell()) return;
    while (this.length > 0 && this.#mayTell()) this.#tell(this.#take());
    this.#flowing = this.#mayTell();
  }

  /** The listener may pause while it is being told, and be at work on as many as it may. */
  #mayTell(): boolean {
    return !this.#paused && this.#working < this.#maxWorking;
  }

  #tell(message: In): void {
    const work = (this.#listener as MessageListener<In>)(message);
    if (work === undefined || !isThenable(work)) return;
    this.#working += 1;
    if (this.#working >= this.#maxWorking) this.#flowing = false;
    this.#events.working(work);
  }

  #take(): In {
    const message = this.#messages[this.#head] as In;
    this.heldBytes -= this.#sizes[this.#head] as number;
    this.#messages[this.#head] = undefined as In;
    this.#head += 1;
    if (this.#head === this.#messages.length) {
      this.#messages.length = 0;
      this.#sizes.length = 0;
      this.#head = 0;
      this.#events.emptied();
    }
    return message;
  }
}

function asResult<In>(message: In | null): IteratorResult<In> {
  return message === null ? { value: undefined, done: true } : { value: message, done: false };
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  );
}
