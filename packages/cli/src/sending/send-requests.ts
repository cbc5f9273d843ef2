/** Sends each message as a request and prints the answers, in the order of the requests. */
import { ConnectionClosedError, type SecureConnection } from '@knsock/core';
import type { Replies } from './replies.js';
import { Interruptible } from './interruptible.js';

export interface RequestsOptions {
  /** Maximum of concurrent requests; 1 prints each answer before the next prompt. */
  readonly window: number;
  /** How long an answer may take, in milliseconds. */
  readonly timeout: number;
}

/**
 * Ends with the source, or with the connection: if the server leaves, it doesn't wait for the next typed line.
 * @throws RemoteHandlerError, ConnectionTimeoutError and the failure of the connection
 */
export async function sendRequests<Message>(
  connection: SecureConnection<Message, Message>,
  source: AsyncIterable<readonly Message[]>,
  replies: Replies,
  { window, timeout }: RequestsOptions,
): Promise<void> {
  // Messages of the server that aren't answers.
  connection.onMessage((message) => replies.print(message));
  const requests: Promise<Message>[] = [];
  const printNext = async (): Promise<void> => replies.print(await requests.shift());
  const batches = new Interruptible(source);
  void connection.closed.then(() => batches.interrupt());
  for await (const messages of batches) {
    for (const message of messages) {
      if (batches.interrupted) break;
      const answer = connection.request(message, { timeout });
      // Its failure is reported in order; another may come first.
      answer.catch(() => undefined);
      requests.push(answer);
      if (requests.length >= window) await printNext();
    }
  }
  while (requests.length > 0) await printNext();
  if (batches.interrupted) throw await whyEnded(connection);
}

async function whyEnded({ closed }: { closed: SecureConnection['closed'] }): Promise<Error> {
  const { clean, error } = await closed;
  return error ?? new ConnectionClosedError(clean, 'the server ended the connection');
}
