/** What a protocol exchanges in plain text before TLS begins, such as PostgreSQL's SSLRequest or SMTP's STARTTLS. */
import type { Socket } from 'node:net';
import type { PendingConnection } from './pending-connection.js';

/**
 * Talks on the raw socket until TLS may begin: bytes that belong to TLS must be put back (`unshift`), the socket left
 * paused and without the hook's listeners. A rejection refuses the client; what was written before is still sent.
 * After a proxy's header the socket is handed over paused: `resume()` it to read.
 * The signal fires when the time from accept to admission is over, or the client has left: a client that ends its side
 * before TLS can't finish a handshake, so its socket is closed, after what was written to it.
 */
export type BeforeTls = (socket: Socket, context: { readonly signal: AbortSignal }) => Promise<void>;

/** Runs it. The socket is half open until TLS takes it over, so an end of the client's side is detected here. */
export async function speakBeforeTls(beforeTls: BeforeTls | null, pending: PendingConnection): Promise<void> {
  const { socket, signal } = pending;
  const left = (): void => {
    pending.left();
  };
  socket.once('end', left);
  try {
    await beforeTls?.(socket, { signal });
  } finally {
    socket.off('end', left);
  }
}
