/** What a handler of kn-sock's is given to answer on: socket and asyncio writer in one. */
import type { SecureConnection } from '../connection/connection-types.js';
import type { Payload } from '../framing/framing.js';

/** A connection that also answers to the names of Python's socket and asyncio writer. */
export interface SslConnection extends SecureConnection {
  /** As `send`: in Python it blocks, so handlers call it without waiting. */
  sendall(data: Payload): Promise<void>;
  /** As `ready`: resolves when there is room to write again. */
  drain(): Promise<void>;
}

/** Gives a connection the two names; it stays the same object. */
export function asSslConnection(connection: SecureConnection): SslConnection {
  return Object.assign(connection, {
    sendall: (data: Payload) => connection.send(data),
    drain: () => connection.ready(),
  });
}
