/** Messages that a listener is done with when it returns: their memory is used again for the next ones. */
import { isUint8Array } from 'node:util/types';
import { InvalidOptionError } from '../errors/index.js';
import { lendMemory } from '../framing/lent-memory.js';
import { copyOf } from '../framing/view.js';

/**
 * A message in memory that is used again: valid only until the listener returns. What you send of it is copied; copy
 * what you keep yourself (`Buffer.from(message)`), and what you hand to something that works later, such as a stream.
 */
export interface LentBuffer extends Buffer {
  readonly [lent]?: true;
}
declare const lent: unique symbol;

/** How `onMessage` hands out messages. */
export interface LendOptions {
  /**
   * A message is valid only until the listener returns, and its memory is used again for the next one: large messages
   * cost no allocation. A listener that returns a promise fails. Default false.
   */
  lend?: boolean | undefined;
  /** For tests: overwrites each lent message when the listener returns, so that a later use of it shows. Default false. */
  poison?: boolean | undefined;
}

/** Receives each message that is lent, and is done with it when it returns; a promise that it returns is a failure. */
export type LentMessageListener<In> = (message: In extends Buffer ? LentBuffer : In) => unknown;

/** What a lent message is overwritten with: neither text nor zeros. */
export const POISON = 0xdb;

/** Surrounds each call of the listener. */
export class Lending {
  readonly #poisons: boolean;
  #before: ArrayBufferLike | null = null;

  constructor(poisons: boolean) {
    this.#poisons = poisons;
  }

  begin(message: unknown): void {
    if (isUint8Array(message)) this.#before = lendMemory(message.buffer);
  }

  end(message: unknown): void {
    if (!isUint8Array(message)) return;
    lendMemory(this.#before);
    if (this.#poisons) message.fill(POISON);
  }
}

/** Null where messages are the listener's own. */
export function lendingOf(options: LendOptions | undefined): Lending | null {
  return options?.lend === true ? new Lending(options.poison === true) : null;
}

/** What is lent is valid only now: what waits is a copy. */
export function keepable<In>(message: In): In {
  return isUint8Array(message) ? (copyOf(message) as In) : message;
}

/** Why a listener of lent messages can't be asynchronous. */
export function promiseForLent(): InvalidOptionError {
  const message =
    'the listener of onMessage(…, { lend: true }) returned a promise, and a lent message is valid only until it returns';
  const hint =
    'Do the work before it returns, or leave lend out; an asynchronous listener keeps the message while it works.';
  return new InvalidOptionError('lend', message, { hint });
}
