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

/** Maximum of concurrent requests in bytes: what was read and has no answer yet is held in memory. */
const WINDOW_BYTES = 1_048_576;

/**
 * Ends with the source, or with the connection: if the server leaves, it doesn't wait for the next typed line.
 * @throws RemoteHandlerError, ConnectionTimeoutError and the failure of the connection
 */
export async function sendRequests<Message extends Uint8Array>(
  connection: SecureConnection<Message, Message>,
  source: AsyncIterable<readonly Message[]>,
  replies: Pick<Replies, 'print'>,
  { window, timeout }: RequestsOptions,
): Promise<void> {
  // Messages of the server that aren't answers.
  connection.onMessage((message) => replies.print(message));
  const requests: { readonly answer: Promise<Message>; readonly bytes: number }[] = [];
  let bytesAsked = 0;
  const printNext = async (): Promise<void> => {
    const { answer, bytes } = requests.shift() as (typeof requests)[number];
    await replies.print(await answer);
    bytesAsked -= bytes;
  };
  const batches = new Interruptible(source);
  void connection.closed.then(() => batches.interrupt());
  for await (const messages of batches) {
    for (const message of messages) {
      const bytes = message.length;
      while (requests.length > 0 && bytesAsked + bytes > WINDOW_BYTES) await printNext();
      if (batches.interrupted) break;
      const answer = connection.request(message, { timeout });
      // Its failure is reported in order; another may come first.
      answer.catch(() => undefined);
      requests.push({ answer, bytes });
      bytesAsked += bytes;
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
