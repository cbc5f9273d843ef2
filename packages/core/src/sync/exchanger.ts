/** Does the jobs: connects or takes a kept connection, sends, gathers the reply. */
import { connect } from '../client/connect.js';
import type { SecureConnection } from '../connection/connection-types.js';
import { ConnectionClosedError } from '../errors/index.js';
import { closeReadingAway, GOODBYE } from '../facade/close-reading-away.js';
import { exchangeOnce, type Exchanged } from '../facade/exchange-once.js';
import { fileStamps, loadedCredentials } from '../facade/loaded-credentials.js';
import { connectOptionsOf, type SslMessage } from '../facade/ssl-message-options.js';
import type { Job } from './job.js';
import { KeptConnections } from './kept-connections.js';

export class Exchanger {
  readonly #kept = new KeptConnections();

  /** @throws what `sendSslTcpMessage` rejects with */
  async exchange({ message, keep }: Job): Promise<Buffer> {
    const deadline = performance.now() + message.timeout;
    const stamps = await fileStamps(message);
    const key = keyOf(message, stamps);
    const kept = keep ? this.#kept.take(key) : null;
    const connection =
      kept ?? (await connect(connectOptionsOf(message, await loadedCredentials(message, stamps))));
    let reusable = false;
    try {
      const exchanged = await exchangeOver(connection, message, deadline);
      if (kept !== null) refuseLost(message, exchanged);
      ({ reusable } = exchanged);
      return exchanged.reply;
    } finally {
      if (keep && reusable) this.#kept.keep(key, connection);
      else closeReadingAway(connection, GOODBYE);
    }
  }
}

function exchangeOver(
  connection: SecureConnection,
  message: SslMessage,
  deadline: number,
): Promise<Exchanged> {
  const { until, maxReplyBytes, timeout } = message;
  return exchangeOnce(connection, message.message, {
    until,
    maxReplyBytes,
    timeout,
    deadline,
    signal: undefined,
  });
}

/** Everything that decides with whom, and as whom, a connection was made. */
function keyOf({ host, port, verify }: SslMessage, stamps: string): string {
  return JSON.stringify([host, port, verify, stamps]);
}

/** The end of a fresh connection is an empty reply; that of a kept one more likely was the server's idle timeout. */
function refuseLost({ host, port }: SslMessage, { reply, reusable }: Exchanged): void {
  if (reusable || reply.length > 0) return;
  const message = `the kept connection to ${host}:${port} ended as the message was sent, before a byte of a reply`;
  throw new ConnectionClosedError('unknown', message, {
    hint: 'The server may have got the message or not: send it again where it may be done twice, or without keep.',
  });
}
