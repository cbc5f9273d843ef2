/** What a protocol says in plain before TLS begins, such as PostgreSQL's SSLRequest or SMTP's STARTTLS. */
import type { Socket } from 'node:net';

/**
 * Speaks on the raw socket until TLS may begin: what it read and belongs to TLS it puts back (`unshift`), the socket
 * paused and without listeners of its own. A rejection turns the client away, what was written last is still sent.
 * Behind a proxy’s header the socket is handed over paused: `resume()` it to read.
 * The signal fires when the time from accept to authorised is over, or the socket is gone.
 */
export type BeforeTls = (socket: Socket, context: { readonly signal: AbortSignal }) => Promise<void>;
