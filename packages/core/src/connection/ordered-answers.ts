/** Answers on framings without ids: each goes out in its turn, not in the order in which they are ready. */
import type { SendQueue } from './send-queue.js';

/** What encodes an answer. */
export interface AnswerEncoder {
  /** @throws ProtocolError for what can't be encoded, before any of it is sent */
  send(answer: Uint8Array): void;
  /** @throws ProtocolError where `send` would, and sends nothing */
  check(answer: Uint8Array): void;
}

export class OrderedAnswers {
  /** How many were sent. */
  sent = 0;
  readonly #encoder: AnswerEncoder;
  readonly #queue: SendQueue;
  /** Answers that are ready before their turn, by request. */
  #early: Map<number, Uint8Array> | null = null;

  constructor(encoder: AnswerEncoder, queue: SendQueue) {
    this.#encoder = encoder;
    this.#queue = queue;
  }

  /**
   * Sends an answer, and those that waited for it, or keeps it for its turn.
   * @param id which request it answers, counted from 1
   * @throws ProtocolError for what can't be encoded
   */
  add(id: number, answer: Uint8Array): void {
    if (id !== this.sent + 1) {
      this.#encoder.check(answer);
      (this.#early ??= new Map<number, Uint8Array>()).set(id, answer);
      return;
    }
    this.#send(answer);
    if (this.#early !== null) this.#sendEarly(this.#early);
  }

  #sendEarly(early: Map<number, Uint8Array>): void {
    for (;;) {
      const next = this.sent + 1;
      const answer = early.get(next);
      if (answer === undefined) return;
      early.delete(next);
      this.#send(answer);
    }
  }

  #send(answer: Uint8Array): void {
    if (this.#queue.isWaiting) this.#sendLater(answer);
    else this.#encoder.send(answer);
    this.sent += 1;
  }

  /** A separate function: its closure would otherwise cost the other answers memory too. */
  #sendLater(answer: Uint8Array): void {
    this.#encoder.check(answer);
    this.#queue.answer(answer.length, () => {
      this.#encoder.send(answer);
    });
  }
}
