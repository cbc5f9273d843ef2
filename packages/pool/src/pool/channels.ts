import { channel, type Channel } from 'node:diagnostics_channel';
import type { DestroyReason } from './config.js';
import type { Leak } from './leak-detector.js';
import type { PoolStats } from './stats.js';

/** A pool's messages on `node:diagnostics_channel`, by channel; `pool` is the name of the pool. */
export interface PoolEvents {
  /** A resource was created; how long that took, in ms. */
  'knsock:pool:created': { pool: string; resource: unknown; ms: number };
  /** Creating failed, with the number of failures in a row; the next attempt is in `retryIn` ms. */
  'knsock:pool:create-failed': { pool: string; error: unknown; failures: number; retryIn: number };
  /** A resource was destroyed. */
  'knsock:pool:destroyed': { pool: string; resource: unknown; reason: DestroyReason };
  /** Callers timed out; how many. */
  'knsock:pool:timeout': { pool: string; callers: number; stats: PoolStats };
  /** A lease wasn't released. */
  'knsock:pool:leak': { pool: string; leak: Leak };
  /** A server is set aside for `ms` milliseconds. */
  'knsock:pool:endpoint-ejected': { pool: string; endpoint: string; ms: number; error: unknown };
  /** A request that the server hadn't started is retried. */
  'knsock:pool:request-retried': { pool: string; error: unknown };
}

interface Telling<Event> extends Pick<Channel, 'hasSubscribers'> {
  publish(event: Event): void;
}

/** A channel without subscribers costs nothing. */
export const channels = {
  created: telling('knsock:pool:created'),
  createFailed: telling('knsock:pool:create-failed'),
  destroyed: telling('knsock:pool:destroyed'),
  timeout: telling('knsock:pool:timeout'),
  leak: telling('knsock:pool:leak'),
  ejected: telling('knsock:pool:endpoint-ejected'),
  retried: telling('knsock:pool:request-retried'),
};

function telling<Name extends keyof PoolEvents>(name: Name): Telling<PoolEvents[Name]> {
  return channel(name);
}
