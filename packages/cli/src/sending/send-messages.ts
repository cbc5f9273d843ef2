/** Sends messages and prints replies, without a mapping of replies to messages. */
import { ConnectionClosedError, ConnectionTimeoutError, type SecureConnection } from '@knsock/core';
import { replyTimeoutNow, type ReplyTimeout } from './reply-timeout.js';
import type { Replies } from './replies.js';
import { Silence } from './silence.js';

export interface MessagesOptions extends ReplyTimeout {
  /** Whether a reply is expected for each message, or for all of them together. */
  readonly replyEach: boolean;
}

/**
 * Ends when the peer ends, or after a silence.
 * @throws ConnectionTimeoutError if a reply is missing, ConnectionClosedError if the peer ended without it
 */
export async function sendMessages<Message>(
  connection: SecureConnection<Message, Message>,
  source: AsyncIterable<readonly Message[]>,
  replies: Replies,
  options: MessagesOptions,
): Promise<void> {
  const stop = new AbortController();
  const done = new Error('enough');
  const progress = { sent: 0, allSent: false };
  const silence = new Silence(() => {
    stop.abort(limit().then === 'done' ? done : lateError(options, progress.sent, replies.count));
  });
  const limit = () => replyTimeoutNow(options, { missing: isMissing(options, progress.sent, replies.count) });
  const listen = (): void => {
    if (progress.allSent) silence.expect(limit().ms);
  };
  const sending = sendAll(connection, source, progress, listen);
  sending.catch((error: unknown) => {
    stop.abort(error);
  });
  try {
    await printAll(connection, replies, stop.signal, listen);
    if (options.replyEach && options.wait === undefined && replies.count < progress.sent) {
      throw endedError(progress.sent, replies.count);
    }
  } catch (error) {
    if (error !== done) throw error;
  } finally {
    silence.stop();
  }
}

async function sendAll<Message>(
  connection: SecureConnection<Message, Message>,
  source: AsyncIterable<readonly Message[]>,
  progress: { sent: number; allSent: boolean },
  listen: () => void,
): Promise<void> {
  for await (const messages of source) {
    progress.sent += messages.length;
    await sendTogether(connection, messages);
  }
  progress.allSent = true;
  listen();
}

async function printAll<Message>(
  connection: SecureConnection<Message, Message>,
  replies: Replies,
  signal: AbortSignal,
  listen: () => void,
): Promise<void> {
  for (;;) {
    const message = await connection.receive({ signal });
    if (message === null) return;
    const printing = replies.print(message);
    if (printing !== undefined) await printing;
    listen();
  }
}

function isMissing({ replyEach }: MessagesOptions, sent: number, received: number): boolean {
  return received < (replyEach ? sent : Math.min(sent, 1));
}

/** Raw framing doesn't delimit replies, so an end may be the whole answer; with delimited messages a reply is required. */
function endedError(sent: number, received: number): ConnectionClosedError {
  const message = `the server ended the connection after ${received} of ${sent} replies`;
  const hint = "Its log knows why; and is --framing the server's?";
  return new ConnectionClosedError('unknown', message, received === 0 ? { hint } : {});
}

function lateError({ timeout }: MessagesOptions, sent: number, received: number): ConnectionTimeoutError {
  const message = `${received} of ${sent} replies came, and none for ${timeout.toLocaleString('en')} ms`;
  return new ConnectionTimeoutError('receive', timeout, message);
}

/** Replies are read, so that the server isn't blocked, and discarded. */
export async function sendWithoutReplies<Message>(
  connection: SecureConnection<Message, Message>,
  source: AsyncIterable<readonly Message[]>,
): Promise<void> {
  connection.onMessage(() => undefined);
  for await (const messages of source) await sendTogether(connection, messages);
}

/** Waits once for all of them, if the queue to the peer is full. */
async function sendTogether<Message>(
  connection: SecureConnection<Message, Message>,
  messages: readonly Message[],
): Promise<void> {
  await Promise.all(messages.map((message) => connection.send(message)));
}
