/** Sends each message as a request and prints the answers, in the order of the requests. */
import type { SecureConnection } from '@knsock/core';
import type { Replies } from './replies.js';

export interface AskOptions {
  /** The most requests on their way at once; 1 prints each answer before the next question. */
  readonly window: number;
  /** How long an answer may take, in milliseconds. */
  readonly timeout: number;
}

/** @throws RemoteHandlerError, ConnectionTimeoutError and whatever ended the connection */
export async function ask<Message>(
  connection: SecureConnection<Message, Message>,
  source: AsyncIterable<Message>,
  replies: Replies,
  { window, timeout }: AskOptions,
): Promise<void> {
  const asked: Promise<Message>[] = [];
  const printNext = async (): Promise<void> => replies.print(await asked.shift());
  for await (const message of source) {
    const answer = connection.request(message, { timeout });
    // Its failure is told when its turn comes; another may be told first.
    answer.catch(() => undefined);
    asked.push(answer);
    if (asked.length >= window) await printNext();
  }
  while (asked.length > 0) await printNext();
}
