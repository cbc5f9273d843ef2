import type { SecureConnection } from '@knsock/core';
import type { Reason } from '../pool/config.js';

/** How long a connection that is put away may take to say goodbye, milliseconds. */
const FAREWELL = 1_000;

/** What the pool looks at, whatever the messages are. */
type Live = Pick<SecureConnection, 'state' | 'stats' | 'ping' | 'close' | 'destroy' | 'peer'>;

/** Ends a connection, with a goodbye where that makes sense. */
export function putAway(connection: Live, reason: Reason): Promise<void> | undefined {
  const gentle = reason !== 'dead' && reason !== 'unclean' && reason !== 'discarded' && reason !== 'leaked';
  if (gentle && connection.state !== 'closed') return connection.close({ deadline: FAREWELL });
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

/** Nothing of the last user is left in it, and it may still be used. */
export function isClean(connection: Live): boolean {
  if (connection.state !== 'open') return false;
  const { heldBytes, requestsWaiting, requestsHandled, requestsGivenUp, maxRequestsWaiting } =
    connection.stats();
  // The answer to a request that was given up reaches nobody; too many of them would leave no room for others.
  const unfinished = requestsWaiting - requestsGivenUp + requestsHandled;
  return heldBytes === 0 && unfinished === 0 && requestsGivenUp * 2 <= maxRequestsWaiting;
}

/** When the first of the two certificates expires, as `Date.now()` tells it; one that had when it was accepted doesn’t count. */
export function expiryOf({ peer }: Live, { credentials }: { credentials?: unknown }): number {
  const own = credentials as { current?: { expiresAt: Date | null }; expiresAt?: Date | null } | undefined;
  const ours = (own?.current ?? own)?.expiresAt?.getTime() ?? Infinity;
  const theirs = peer?.validTo.getTime() ?? Infinity;
  const now = Date.now();
  return Math.min(...[ours, theirs].filter((expiry) => expiry > now), Infinity);
}
