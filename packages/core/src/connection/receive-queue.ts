/**
 * Received messages on their way to the program: by a listener, or pulled by `receive()` and `for await`. Without
 * a consumer, or while paused, they wait here.
 *
 * Rules
 * - One consumer: a listener stays for the whole connection, and excludes pulling.
 * - Every `receive()` settles: with a message, at the end, by its signal or its deadline.
 * - A batch yields: after a few milliseconds of the program's work the rest waits for the next turn.
 */
import { abortedCall, failedCall, type Unawaited } from '../errors/call-promise.js';
import { consumed, standingAlone, type CallFailures } from './call-failures.js';
import { keepable, type Lending } from './lending.js';
import type { TurnBudget } from './turn-budget.js';
import { MessageWaiter } from './message-waiter.js';

/** How the stream of messages ended: `null` while it goes on. */
type Ending = { error: Error | undefined } | null;

/** About what a held message costs beside its payload, in bytes. */
const MESSAGE_COST = 128;

/** What a receive queue reports to its connection. */
export interface ReceiveQueueEvents {
  /** All waiting messages were taken. */
  emptied(): void;
  /** The program waits for the next message, or left its loop over them. */
  idle(): void;
  /** The program was notified of the end. */
  endTold(): void;
  /** Gives a message to the program's listener, guarded; true where it is still running: then `worked()` follows. */
  callListener(listener: (message: never) => unknown, message: unknown): boolean;
  /** Whether the peer leaves so much unread that the program gets nothing more to answer. */
  readonly isAnswerQueueFull: boolean;
}

/** Receives each message; while a promise that it returns is pending, `maxRequestsInFlight` counts it. */
export type MessageListener<In> = (message: In) => unknown;

export class ReceiveQueue<In> {
  readonly #events: ReceiveQueueEvents;
  readonly #budget: TurnBudget;
  readonly #maxWorking: number;
  readonly #failures: CallFailures;
  #working = 0;
  #messages: In[] = [];
  #sizes: number[] = [];
  #head = 0;
  #waiters: MessageWaiter<In>[] = [];
  #listener: MessageListener<In> | null = null;
  lending: Lending | null = null; // set where messages are lent to the listener
  #paused = false;
  #flowing = false;
  #ending: Ending = null;
  /** Set once received messages go elsewhere; why they can't be taken here. */
  #closedTo: string | null = null;

  /** What waits here, in bytes: a message costs memory beyond its payload, which may be empty. */
  heldBytes = 0;
  /** Whether the program asks for messages, as far as is known. */
  consumed = false;
  /** How many messages were taken by pulling. */
  pulled = 0;
  /** Whether a `receive()` or an iteration returned the end. */
  endTold = false;

  /** @param maxWorking the most messages that an asynchronous listener handles at once */
  constructor(events: ReceiveQueueEvents, budget: TurnBudget, maxWorking: number, failures = standingAlone) {
    this.#failures = failures;
    this.#events = events;
    this.#budget = budget;
    this.#maxWorking = maxWorking;
  }

  get length(): number {
    return this.#messages.length - this.#head;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** Whether a listener takes the messages. */
  get isListening(): boolean {
    return this.#listener !== null;
  }

  /** Whether the program has taken every message and waits for more. */
  get isParked(): boolean {
    return this.#waiters.length > 0 && this.length === 0;
  }

  push(message: In, bytes: number): void {
    if (this.#flowing) {
      if (!this.#budget.isSpent()) {
        this.#tell(message);
        return;
      }
      this.#flowing = false;
    }
    const waiter = this.#paused || this.length > 0 ? undefined : this.#waiters.shift();
    if (waiter !== undefined) {
      this.pulled += 1;
      waiter.settle(message);
      return;
    }
    this.#messages.push(this.lending === null ? message : keepable(message));
    this.#sizes.push(bytes + MESSAGE_COST);
    this.heldBytes += bytes + MESSAGE_COST;
  }

  /** No more messages will come; those waiting are still delivered first. */
  end(error: Error | undefined): void {
    if (this.#ending !== null) return;
    this.#ending = { error };
    if (this.length === 0) this.#endWaiters();
  }

  /** @throws EasySocketError KNSOCK_CONSUMED where the messages have a consumer already */
  listen(listener: MessageListener<In>, lending: Lending | null = null): void {
    if (this.#closedTo !== null) throw consumed(this.#failures, 'messages', this.#closedTo);
    if (this.#listener !== null)
      throw consumed(this.#failures, 'messages', 'onMessage() was called before, and is for the connection');
    if (this.#waiters.length > 0)
      throw consumed(this.#failures, 'messages', 'a receive() or an iteration is waiting for the next one');
    this.consumed = true;
    this.#listener = listener;
    this.lending = lending;
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
    this.serve();
  }

  /** The next message, or null at the end. @throws EasySocketError KNSOCK_CONSUMED beside a listener */
  receive(signal: AbortSignal | undefined, timeout: number | undefined): Promise<In | null> {
    const refused = this.#refusePull();
    if (refused !== null) return failedCall(refused, this.#unawaited);
    if (signal?.aborted === true) return abortedCall(signal);
    if (this.length > 0 && !this.#paused && this.#waiters.length === 0) {
      if (!this.#budget.isSpent()) return Promise.resolve(this.#pull());
    } else if (this.#ending !== null && this.length === 0) {
      return this.#ended(this.#ending);
    }
    return this.#wait(signal, timeout);
  }

  /** The iterator behind `for await`: written by hand, since an async generator costs twice as much per message. */
  iterate(): AsyncIterableIterator<In> {
    const next = (): Promise<IteratorResult<In>> => {
      if (this.#listener === null && this.length > 0 && !this.#paused && this.#waiters.length === 0) {
        this.consumed = true;
        if (!this.#budget.isSpent()) return Promise.resolve({ value: this.#pull(), done: false });
      }
      return this.receive(undefined, undefined).then(asResult<In>);
    };
    return {
      next,
      return: () => {
        // What waits is for a consumer to come, if there is one.
        this.consumed = this.#listener !== null || this.#waiters.length > 0;
        this.#events.idle();
        return Promise.resolve({ value: undefined, done: true });
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  /** Takes everything that waits: for another consumer, or for none once the listener has failed. */
  takeAll(): In[] {
    const rest = this.#messages.slice(this.#head);
    this.#messages = [];
    this.#sizes = [];
    this.#head = 0;
    this.heldBytes = 0;
    return rest;
  }

  /** From now on received messages go elsewhere. @throws EasySocketError KNSOCK_CONSUMED where they have a consumer here */
  closeTo(why: string): void {
    if (this.#listener !== null) throw consumed(this.#failures, 'messages', 'onMessage() takes the messages');
    if (this.#waiters.length > 0)
      throw consumed(
        this.#failures,
        'messages',
        'a receive() or an iteration is waiting for the next message',
      );
    this.#closedTo = why;
  }

  readonly #unawaited: Unawaited = (error) => {
    this.#failures.unawaited(error, 'a receive');
  };

  #refusePull(): Error | null {
    if (this.#closedTo !== null) return consumed(this.#failures, 'messages', this.#closedTo);
    if (this.#listener !== null)
      return consumed(this.#failures, 'messages', 'onMessage() takes the messages');
    this.consumed = true;
    return null;
  }

  #ended({ error }: NonNullable<Ending>): Promise<null> {
    this.#notifyEnd();
    return error === undefined ? Promise.resolve(null) : failedCall(error, this.#unawaited);
  }

  #endWaiters(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter.end(this.#ending?.error);
    if (waiters.length > 0) this.#notifyEnd();
  }

  #notifyEnd(): void {
    this.endTold = true;
    this.#events.endTold();
  }

  #wait(signal: AbortSignal | undefined, timeout: number | undefined): Promise<In | null> {
    const waiter = new MessageWaiter<In>(signal, timeout, this.#failures, this.#left);
    this.#waiters.push(waiter);
    if (this.length === 0) this.#events.idle();
    return waiter.promise;
  }

  readonly #left = (waiter: MessageWaiter<In>): void => {
    const place = this.#waiters.indexOf(waiter);
    if (place >= 0) this.#waiters.splice(place, 1);
  };

  /** Delivers waiting messages to their consumer: the next turn has come, or there is room to answer again. */
  serve(): void {
    while (this.#waiters.length > 0 && this.length > 0 && !this.#paused && !this.#budget.isSpent()) {
      const waiter = this.#waiters.shift() as MessageWaiter<In>;
      waiter.settle(this.#pull());
    }
    if (this.#ending !== null && this.length === 0) this.#endWaiters();
    this.#flow();
  }

  #flow(): void {
    if (this.#listener === null) return;
    while (this.length > 0 && this.#mayTell()) {
      if (this.#budget.isSpent()) return;
      this.#tell(this.#take());
    }
    this.#flowing = this.length === 0 && this.#mayTell();
  }

  /** The listener may pause during its call, or reach its maximum of messages. */
  #mayTell(): boolean {
    return !this.#paused && this.#working < this.#maxWorking && !this.#events.isAnswerQueueFull;
  }

  #tell(message: In): void {
    this.lending?.begin(message);
    const isAsync = this.#events.callListener(this.#listener as MessageListener<never>, message);
    this.lending?.end(message);
    if (isAsync) this.#working += 1;
    if (this.#working >= this.#maxWorking || this.#events.isAnswerQueueFull) this.#flowing = false;
  }

  #pull(): In {
    this.pulled += 1;
    return this.#take();
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
