import { EasySocketError } from '@knsock/core/errors';
import { channels } from './channels.js';
import { PoolTimeoutError } from './errors.js';
import type { PoolStats } from './stats.js';
import type { Late } from '../waiting/waiting-room.js';

/** Rejects expired callers, with the state of the pool at that moment, and publishes it. */
export function rejectExpired(pool: string, late: readonly Late[], now: PoolStats): void {
  const stats = { ...now, waiting: now.waiting + late.length };
  for (const { deadline, since, reject } of late) {
    reject(new PoolTimeoutError(Math.round(deadline - since), stats));
  }
  if (channels.timeout.hasSubscribers) channels.timeout.publish({ pool, callers: late.length, stats });
}

/** Whether the error says that a retry can't help: callers then needn't wait for the next attempt. */
export function isFinal(error: unknown): boolean {
  return error instanceof EasySocketError && !error.retryable;
}
