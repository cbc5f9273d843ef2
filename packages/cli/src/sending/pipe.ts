/** Streams bytes both ways, like a pipe: the end of the input is sent to the peer, and the peer's end ends us. */
import { once } from 'node:events';
import { ConnectionTimeoutError, type SecureConnection } from '@knsock/core';
import type { Source } from './message-source.js';
import type { Replies } from './replies.js';
import { Silence } from './silence.js';

/** @param timeout how long the peer may be silent once the input has ended, in milliseconds */
export async function pipeBytes(
  connection: SecureConnection,
  source: Source,
  replies: Replies,
  timeout: number,
): Promise<void> {
  const stream = connection.stream();
  const silence = new Silence(() => {
    const message = `the peer neither sent nor ended for ${timeout.toLocaleString('en')} ms after our end`;
    stream.destroy(new ConnectionTimeoutError('receive', timeout, message));
  });
  let ended = false;
  const sending = (async () => {
    for await (const pieces of source)
      for (const piece of pieces) if (!stream.write(piece)) await once(stream, 'drain');
    stream.end();
    ended = true;
    silence.expect(timeout);
  })();
  sending.catch((error: unknown) => {
    stream.destroy(error as Error);
  });
  try {
    for await (const piece of stream as AsyncIterable<Buffer>) {
      await replies.print(piece);
      if (ended) silence.expect(timeout);
    }
  } finally {
    silence.stop();
  }
}
