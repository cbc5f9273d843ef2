/** The client's identity, for programs that have only Node's request. */
import type { IncomingMessage } from 'node:http';
import type { SecureConnection } from '../connection/connection-types.js';
import type { PeerIdentity } from '../transport/peer-identity.js';
import { connectionUnder } from './http-socket.js';

/**
 * Who a request or response came from, by the certificate of its connection and by nothing that it says; null where
 * none was shown, and for what didn't come over a connection of knsock.
 */
export function peerOf(message: Pick<IncomingMessage, 'socket'>): PeerIdentity | null {
  return connectionUnder(message.socket)?.peer ?? null;
}

/** The connection that a request or response came over; null where that isn't one of knsock. */
export function connectionOf(message: Pick<IncomingMessage, 'socket'>): SecureConnection | null {
  return connectionUnder(message.socket);
}
