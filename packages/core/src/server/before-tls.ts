/** What a protocol says in plain before TLS begins, such as PostgreSQL's SSLRequest or SMTP's STARTTLS. */
import type { Socket } from 'node:net';
import type { PendingConnection } from './pending-connection.js';

/**
 * Speaks on the raw socket until TLS may begin: what it read and belongs to TLS it puts back (`unshift`), the socket
 * paused and without listeners of its own. A rejection turns the client away, what was written last is still sent.
 * Behind a proxy’s header the socket is handed over paused: `resume()` it to read.
 * The signal fires when the time from accept to authorised is over, or the client has left: a client that ends its side
 * before TLS can’t finish a handshake, so its socket is closed, behind what was written to it.
 */
export type BeforeTls = (socket: Socket, context: { readonly signal: AbortSignal }) => Promise<void>;

/** Runs it. The socket is half open until TLS takes it over, so an end of the client's side is looked for here. */
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
