import { asError } from '@knsock/core/options';
import type { HistogramSnapshot } from './histogram.js';

/** The last failure to create, kept until one succeeds. */
export interface PoolFailure {
  /** The error of `create`. */
  readonly error: unknown;
  /** When it happened. */
  readonly at: Date;
  /** How many attempts have failed in a row. */
  readonly count: number;
}

/** A snapshot of a pool; counts and times have HikariCP's names. */
export interface PoolStats {
  /** Everything that counts against `max`: active, idle, creating, checking and closing. */
  readonly total: number;
  /** Lent. */
  readonly active: number;
  /** Ready to be lent. */
  readonly idle: number;
  /** Callers waiting in `acquire` (HikariCP: pending, or threads awaiting a connection). */
  readonly waiting: number;
  /** Being created. */
  readonly creating: number;
  /** Being validated, or kept alive. */
  readonly checking: number;
  /** Being destroyed. */
  readonly closing: number;
  /** As configured. */
  readonly min: number;
  /** As configured. */
  readonly max: number;
  /** Whether it is suspended by `suspend()`. */
  readonly suspended: boolean;
  /** Created, destroyed, acquires that timed out and leaks reported, since the pool was made. */
  readonly created: number;
  /** How many were destroyed so far. */
  readonly destroyed: number;
  /** How many callers timed out so far. */
  readonly timeouts: number;
  /** How many leases weren't released so far. */
  readonly leaks: number;
  /** The last failure to create, until one succeeds. */
  readonly lastFailure: PoolFailure | undefined;
  /** Milliseconds from `acquire` to the lease. */
  readonly acquire: HistogramSnapshot;
  /** Milliseconds from the lease to its release. */
  readonly usage: HistogramSnapshot;
  /** Milliseconds of successful creations. */
  readonly creation: HistogramSnapshot;
}

/** The state in one line: `10 active, 0 idle, 42 waiting, last failure: …`. */
export function describe(stats: PoolStats): string {
  const parts = [`${stats.active} active`, `${stats.idle} idle`, `${stats.waiting} waiting`];
  if (stats.creating > 0) parts.push(`${stats.creating} being created`);
  if (stats.checking > 0) parts.push(`${stats.checking} being checked`);
  if (stats.closing > 0) parts.push(`${stats.closing} closing`);
  if (stats.suspended) parts.push('suspended');
  parts.push(`max ${stats.max}`);
  if (stats.lastFailure) parts.push(`last failure: ${messageOf(stats.lastFailure.error)}`);
  return parts.join(', ');
}

function messageOf(error: unknown): string {
  return asError(error).message;
}
