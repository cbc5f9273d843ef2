/** kn-sock's clients: connect, send, and return the reply, which kn-sock threw away. */
import { connect } from '../client/connect.js';
import type { Payload } from '../framing/framing.js';
import { closeReadingAway, GOODBYE } from './close-reading-away.js';
import { exchangeOnce } from './exchange-once.js';
import { fileStamps, loadedCredentials } from './loaded-credentials.js';
import { connectOptionsOf, parseSslMessage, type SslMessageOptions } from './ssl-message-options.js';

/**
 * Sends a message to a server of kn-sock's kind and resolves with its reply, which ends where `until` says. An empty
 * reply is one whose server ended without a byte; a server that reset, or whose handler failed, gives an error.
 * @throws ReplyTimeoutError with what was received by then; UntrustedPeerError and HandshakeError (both are
 *   SecurityError); ConnectionError; MessageTooLargeError; TruncatedMessageError; InvalidOptionError; CredentialsError
 */
export async function sendSslTcpMessage(
  host: string,
  port: number,
  message: Payload,
  options: SslMessageOptions = {},
): Promise<Buffer> {
  const parsed = parseSslMessage(host, port, message, options);
  const { timeout, until, maxReplyBytes } = parsed;
  const { signal } = options;
  const deadline = performance.now() + timeout;
  const credentials = await loadedCredentials(parsed, await fileStamps(parsed));
  const connection = await connect({ ...connectOptionsOf(parsed, credentials), signal });
  try {
    const rule = { until, maxReplyBytes, timeout, deadline, signal };
    return (await exchangeOnce(connection, message, rule)).reply;
  } finally {
    closeReadingAway(connection, GOODBYE);
  }
}

/** The same: here everything that waits is asynchronous. */
export { sendSslTcpMessage as sendSslTcpMessageAsync };
