import type { ConnectionStats, Credentials, SecureConnection } from '@knsock/core';
import type { DestroyReason } from '../pool/config.js';

/** How long a graceful close of a discarded connection may take, milliseconds. */
const FAREWELL = 1_000;

/** The parts of a connection that the pool uses, whatever the message type. */
type Live = Pick<SecureConnection, 'state' | 'stats' | 'ping' | 'close' | 'destroy' | 'peer'>;

/** Nothing of it is worth waiting for, or the time for waiting is over. */
const atOnce: ReadonlySet<DestroyReason> = new Set(['dead', 'unclean', 'discarded', 'leaked', 'overdue']);

/** Ends a connection, gracefully if possible. */
export function putAway(connection: Live, reason: DestroyReason): Promise<void> | undefined {
  if (!atOnce.has(reason) && connection.state !== 'closed') return connection.close({ deadline: FAREWELL });
  connection.destroy();
  return undefined;
}

/** Whether it may still be used, as far as the framing can tell. */
export async function isAlive(
  connection: Live,
  multiplexing: boolean,
  signal: AbortSignal,
): Promise<boolean> {
  if (!isClean(connection)) return false;
  if (multiplexing) await connection.ping({ signal });
  return true;
}

/** Whether nothing of the program's has gone either way since a connection was made. */
export function isUnused(made: ConnectionStats, now: ConnectionStats): boolean {
  if (now.messagesSent > 0 || now.messagesReceived > 0) return false;
  // On knsock there are frames besides; on others a stream may have carried bytes.
  return made.bytesReceived > 0 || (now.bytesReceived === 0 && now.bytesSent === made.bytesSent);
}

/** It has no leftovers of its last user, and may still be used. */
export function isClean(connection: Live): boolean {
  if (connection.state !== 'open') return false;
  const { heldBytes, requestsWaiting, requestsHandled, requestsGivenUp, maxRequestsWaiting } =
    connection.stats();
  // Answers to abandoned requests are discarded; too many of those requests would leave no capacity for others.
  const unfinished = requestsWaiting - requestsGivenUp + requestsHandled;
  return heldBytes === 0 && unfinished === 0 && requestsGivenUp * 2 <= maxRequestsWaiting;
}

/** When the first of the two certificates expires, on the scale of `Date.now()`; one that was already expired when accepted doesn't count. */
export function expiryOf({ peer }: Live, { credentials }: { credentials?: unknown }): number {
  const own = credentials as (Partial<Credentials> & { current?: Credentials }) | undefined;
  const ours = (own?.current ?? own)?.expiresAt?.getTime() ?? Infinity;
  const theirs = peer?.notAfter.getTime() ?? Infinity;
  const now = Date.now();
  return Math.min(...[ours, theirs].filter((expiry) => expiry > now), Infinity);
}
