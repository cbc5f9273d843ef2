import { channel } from 'node:diagnostics_channel';
import type { Reason } from './config.js';
import type { Leak } from './leak-detector.js';

/**
 * What a pool tells on `node:diagnostics_channel`; nothing is computed for a channel that nobody hears.
 * Every payload has `pool`, the name of the pool.
 */
export const channels = {
  created: channel('knsock:pool:created'),
  createFailed: channel('knsock:pool:create-failed'),
  destroyed: channel('knsock:pool:destroyed'),
  timeout: channel('knsock:pool:timeout'),
  leak: channel('knsock:pool:leak'),
  ejected: channel('knsock:pool:endpoint-ejected'),
  retried: channel('knsock:pool:request-retried'),
};

/** The payloads, by channel. */
export interface PoolEvents {
  'knsock:pool:created': { pool: string; resource: unknown; ms: number };
  'knsock:pool:create-failed': { pool: string; error: unknown; failures: number; retryIn: number };
  'knsock:pool:destroyed': { pool: string; resource: unknown; reason: Reason };
  'knsock:pool:timeout': { pool: string; callers: number; stats: unknown };
  'knsock:pool:leak': { pool: string; leak: Leak };
  'knsock:pool:endpoint-ejected': { pool: string; endpoint: string; ms: number; error: unknown };
  'knsock:pool:request-retried': { pool: string; endpoint: string; error: unknown };
}
