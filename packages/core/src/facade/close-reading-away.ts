/** Ends a connection whose peer may still be sending. */
import type { SecureConnection } from '../connection/connection-types.js';
import { EasySocketError } from '../errors/index.js';

/** How long a peer may take to end in turn, once we have its reply; nothing is lost by cutting it off then. */
export const GOODBYE = 1_000;

/**
 * Delivers what was sent and ends, reading the rest away: closing over unread bytes would reset the connection, and
 * the reset can overtake what was sent. It need not be awaited.
 * @param deadline milliseconds until a peer that doesn't end in turn is cut off; default `drainTimeout`
 */
export function closeReadingAway(connection: SecureConnection, deadline?: number): void {
  try {
    connection.onMessage(() => undefined);
  } catch (error) {
    // A handler that took the messages or the stream reads on by itself.
    if (!(error instanceof EasySocketError && error.code === 'KNSOCK_CONSUMED')) throw error;
  }
  void connection.close({ deadline });
}
