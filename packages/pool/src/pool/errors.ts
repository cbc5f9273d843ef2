import { EasySocketError, type ErrorDetails } from '@knsock/core/errors';
import { codes, type PoolErrorCode } from '../error-codes.js';
import { describe, type PoolStats } from './stats.js';

export type { PoolErrorCode } from '../error-codes.js';

/** The pool couldn't lend, or was misused. */
export class PoolError extends EasySocketError {
  static override readonly brand: string = 'PoolError';

  constructor(code: PoolErrorCode, message: string, details: ErrorDetails = {}) {
    super(code, message, { ...codes[code], ...details });
  }
}

/** No resource was available in time; `stats` is the pool's state at that moment, `cause` the last failure to create, if any. */
export class PoolTimeoutError extends PoolError {
  static override readonly brand: string = 'PoolTimeoutError';
  /** Of the pool, at that moment. */
  readonly stats: PoolStats;
  /** The caller's timeout, in milliseconds. */
  readonly ms: number;

  constructor(ms: number, stats: PoolStats) {
    super('KNSOCK_POOL_TIMEOUT', `nothing to lend within ${ms.toLocaleString('en')} ms: ${describe(stats)}`, {
      cause: stats.lastFailure?.error,
      ...adviceOf(stats),
    });
    this.stats = stats;
    this.ms = ms;
  }
}

/** What was created was dead before it was of use. */
export class UnusableError extends PoolError {
  constructor(cause: Error | undefined) {
    const why = cause === undefined ? '' : `: ${cause.message}`;
    super('KNSOCK_POOL_UNUSABLE', `what was created was dead before it could be lent${why}`, { cause });
  }
}

/** If nothing is open because creating fails, the hint for that failure applies here too. */
function adviceOf({ lastFailure, active, idle, checking }: PoolStats): ErrorDetails {
  const error = lastFailure?.error;
  if (active + idle + checking > 0 || !(error instanceof EasySocketError)) return {};
  return { hint: error.hint, retryable: error.retryable };
}

/** The queue of callers has reached `maxWaiters`. */
export class PoolQueueFullError extends PoolError {
  static override readonly brand: string = 'PoolQueueFullError';
  /** Of the pool, at that moment. */
  readonly stats: PoolStats;
  /** `maxWaiting`. */
  readonly limit: number;

  constructor(limit: number, stats: PoolStats) {
    const message = `${limit.toLocaleString('en')} callers wait already, which is the limit: ${describe(stats)}`;
    super('KNSOCK_POOL_QUEUE_FULL', message);
    this.stats = stats;
    this.limit = limit;
  }
}

/** The pool is closed, or closing. */
export class PoolClosedError extends PoolError {
  static override readonly brand: string = 'PoolClosedError';

  constructor(message = 'the pool is closed') {
    super('KNSOCK_POOL_CLOSED', message);
  }
}

/** A lease was released twice, or used after its release. */
export class LeaseReleasedError extends PoolError {
  static override readonly brand: string = 'LeaseReleasedError';

  constructor(message: string) {
    super('KNSOCK_LEASE_RELEASED', message);
  }
}
