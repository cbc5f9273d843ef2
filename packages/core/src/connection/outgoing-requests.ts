/**
 * Our requests: numbered, sent up to the number that the peer handles at once, in the order of everything else that goes
 * out, answered in any order where the framing has ids and in the order of the requests where it hasn't.
 *
 * What can't go out yet waits here, unencoded, within its own timeout. Only a number limits it, `maxWaitingRequests`:
 * callers hold the payloads in any case, so a bound of bytes would save nothing.
 */
import { EasySocketError, ProtocolError, RequestNotStartedError } from '../errors/index.js';
import { failedCall } from '../errors/call-promise.js';
import type { CallFailures } from './call-failures.js';
import { HeldRequest } from './held-request.js';
import { PendingRequests } from './pending-requests.js';
import type { SendQueue } from './send-queue.js';

/** What outgoing requests report to their protocol. */
export interface OutgoingEvents {
  /** Writes a request. */
  sendRequest(id: number, payload: Uint8Array): void;
  /** A request was aborted here; the peer may still answer it. */
  givenUp(id: number): void;
  /** Why no answer can be read at the moment, or null. */
  stalled(): string | null;
  /** No caller waits for an answer any more. */
  requestsDone(): void;
}

/** How many requests there may be, and how long they take where their callers don't say. */
export interface OutgoingLimits {
  /** How many the peer handles at once; 0: none at all. */
  readonly maxInFlight: number;
  readonly maxWaitingRequests: number;
  readonly requestTimeout: number;
}

export class OutgoingRequests<In> {
  readonly #queue: SendQueue;
  readonly #events: OutgoingEvents;
  readonly #failures: CallFailures;
  readonly #limits: OutgoingLimits;
  readonly #pending: PendingRequests<In>;
  /** Waiting for a slot at the peer. */
  readonly #waitingForPlace = new Set<HeldRequest<In>>();
  /** Waiting for the peer to read what was sent before. */
  readonly #waitingForRoom = new Set<HeldRequest<In>>();
  /** Aborted here; the peer counts them as in flight until it answers. */
  readonly #abandoned = new Set<number>();
  /** Excluded by a GOAWAY; their REJECTED may still be on its way. */
  readonly #leftOut = new Set<number>();
  #lastId = 0;
  /** Why no more are accepted; null while they are. */
  #refusal: (() => Error) | null = null;

  constructor(queue: SendQueue, events: OutgoingEvents, failures: CallFailures, limits: OutgoingLimits) {
    this.#queue = queue;
    this.#events = events;
    this.#failures = failures;
    this.#limits = limits;
    this.#pending = new PendingRequests(
      (id) => {
        this.#abandoned.add(id);
        this.#events.givenUp(id);
        if (this.awaited === 0) this.#events.requestsDone();
      },
      () => this.#events.stalled(),
      failures,
    );
  }

  /** Requests without an answer, those held back included. */
  get waiting(): number {
    return this.#inFlight + this.#waitingForPlace.size;
  }

  /** Requests whose answer a caller waits for. */
  get awaited(): number {
    return this.#pending.size + this.#waitingForRoom.size + this.#waitingForPlace.size;
  }

  /** Cancelled or timed out, and not yet answered by the peer. */
  get givenUp(): number {
    return this.#abandoned.size;
  }

  /** The request that was sent first of those without an answer, on framings that answer in order. */
  get oldest(): number | undefined {
    return this.#pending.oldest;
  }

  get #inFlight(): number {
    return this.#pending.size + this.#abandoned.size + this.#waitingForRoom.size;
  }

  ask(payload: Uint8Array, timeout = this.#limits.requestTimeout, signal?: AbortSignal): Promise<In> {
    if (this.#refusal !== null) return this.#refused(this.#refusal());
    if (!this.#mustWaitForPlace && !this.#queue.mustWait) return this.#send(payload, timeout, signal);
    if (this.#limits.maxInFlight === 0)
      return this.#refused(new RequestNotStartedError('the peer takes no requests: its WELCOME says so'));
    if (this.#waitingForPlace.size + this.#waitingForRoom.size >= this.#limits.maxWaitingRequests)
      return this.#refused(this.#tooMany());
    return this.#hold(payload, timeout, signal);
  }

  get #mustWaitForPlace(): boolean {
    return this.#inFlight >= this.#limits.maxInFlight || this.#waitingForPlace.size > 0;
  }

  /** Names the limit that was reached, and what the waiting ones wait for. */
  #tooMany(): Error {
    const waitingForPlace = this.#waitingForPlace.size;
    const waiting = waitingForPlace + this.#waitingForRoom.size;
    const { maxInFlight, maxWaitingRequests } = this.#limits;
    const what =
      waitingForPlace > 0
        ? `${waitingForPlace} of them for answers to the ${this.#inFlight} in flight, of which there may be ${maxInFlight}`
        : `until the peer has read the ${this.#queue.queuedBytes} bytes before them`;
    const words = `${waiting} requests wait already, ${what}: the limit is maxWaitingRequests, ${maxWaitingRequests}`;
    const hint =
      'Await answers before you send more requests, use several connections (a pool), or raise maxWaitingRequests.';
    const cause = this.#failures.named(new EasySocketError('KNSOCK_QUEUE_FULL', words, { hint }));
    return new RequestNotStartedError(`the request was not sent: ${words}`, { cause, hint });
  }

  /** Takes the answer to a request. @throws ProtocolError where it isn't in flight */
  answered(id: number, answer: In): void {
    if (this.#pending.settle(id, answer)) this.#freed();
    else this.#late(id);
  }

  /** Takes the failure of a request. @throws ProtocolError where it isn't in flight */
  failed(id: number, error: () => Error): void {
    if (!this.#pending.has(id)) {
      this.#late(id);
      return;
    }
    this.#pending.fail(id, error());
    this.#freed();
  }

  /** The peer starts no request above `lastId`: those are safe to send again elsewhere. */
  peerDrains(lastId: number): void {
    const words = "the peer is draining and didn't start the request";
    const why = (): Error => this.#failures.named(new RequestNotStartedError(words));
    this.refuseMore(why);
    for (const id of this.#abandoned) if (id > lastId && this.#abandoned.delete(id)) this.#leftOut.add(id);
    this.#pending.failWhere(
      (id) => id > lastId,
      (id) => {
        this.#leftOut.add(id);
        return why();
      },
    );
    if (this.awaited === 0) this.#events.requestsDone();
  }

  /** From now on no request is accepted, and those held back fail unsent. */
  refuseMore(why: () => Error): void {
    this.#refusal ??= why;
    for (const held of [...this.#waitingForPlace, ...this.#waitingForRoom]) held.failed(why());
  }

  /** Asks the peer to answer now; its answers are still accepted. */
  hurry(tell: (id: number) => void): void {
    for (const id of this.#pending.ids()) tell(id);
  }

  /** No answer can arrive any more. */
  abandon(why: () => Error): void {
    this.refuseMore(() => {
      const cause = why();
      const words = 'the connection ended before the request was sent';
      return this.#failures.named(new RequestNotStartedError(words, { cause }));
    });
    this.#pending.failAll(why);
    this.#abandoned.clear();
  }

  #refused(error: Error): Promise<In> {
    return failedCall(this.#failures.named(error), (unheard) => {
      this.#failures.unawaited(unheard, 'a request');
    });
  }

  #send(payload: Uint8Array, timeout: number, signal: AbortSignal | undefined): Promise<In> {
    const id = this.#lastId + 1;
    this.#events.sendRequest(id, payload);
    this.#lastId = id;
    return this.#pending.wait(id, timeout, signal);
  }

  #hold(payload: Uint8Array, timeout: number, signal: AbortSignal | undefined): Promise<In> {
    const held: HeldRequest<In> = new HeldRequest<In>(payload, timeout, signal, {
      send: () => {
        this.#waitingForRoom.delete(held);
        return this.#send(payload, held.timeLeft, signal);
      },
      left: () => {
        this.#forget(held);
      },
      waitsFor: () =>
        this.#waitingForRoom.has(held)
          ? 'until the peer has read what was sent before it'
          : 'for others before it',
      failures: this.#failures,
    });
    if (this.#mustWaitForPlace) {
      this.#waitingForPlace.add(held);
    } else {
      this.#waitingForRoom.add(held);
      this.#queue.hold(held);
    }
    return held.answer;
  }

  #forget(held: HeldRequest<In>): void {
    if (this.#waitingForRoom.delete(held)) this.#queue.takeBack(held);
    else if (!this.#waitingForPlace.delete(held)) return;
    if (this.awaited === 0) this.#events.requestsDone();
  }

  /** An answer to an aborted request is dropped; one to a request never sent breaks the protocol. */
  #late(id: number): void {
    if (this.#leftOut.delete(id)) return;
    if (!this.#abandoned.delete(id))
      throw new ProtocolError(`an answer came to request ${id}, which isn't in flight`);
    this.#freed();
  }

  /** A slot is free: the next request goes out. */
  #freed(): void {
    for (const held of this.#waitingForPlace) {
      this.#waitingForPlace.delete(held);
      if (this.#queue.mustWait) {
        this.#waitingForRoom.add(held);
        this.#queue.hold(held);
      } else {
        held.send();
      }
      return;
    }
    if (this.awaited === 0) this.#events.requestsDone();
  }
}
