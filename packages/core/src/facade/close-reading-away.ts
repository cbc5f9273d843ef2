/** Ends a connection whose peer may still be sending what nobody wants. */
import type { SecureConnection } from '../connection/connection-types.js';

/** How long a peer may take to end in turn, once we have its reply; nothing is lost by cutting it off then. */
export const GOODBYE = 1_000;

/**
 * Delivers what was sent and ends, reading the rest away: closing over unread bytes would reset the connection, and
 * the reset can overtake what was sent. Nobody needs to wait for it.
 * @param deadline milliseconds until a peer that doesn't end in turn is cut off; default `drainTimeout`
 */
export function closeReadingAway(connection: SecureConnection, deadline?: number): void {
  connection.onMessage(() => undefined);
  void connection.close({ deadline });
}
