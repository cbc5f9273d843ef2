import { EasySocketError, type ErrorDetails } from '@knsock/core/errors';
import { describe, type PoolStats } from './pool/stats.js';

/** Every code that the pool raises, with the question that most often mends it. */
const hints = {
  KNSOCK_POOL_TIMEOUT:
    'Is max too small for the load, is a holder keeping its lease too long (set leakThreshold), or does creating fail (see the last failure)?',
  KNSOCK_POOL_CLOSED: 'The pool was closed; make a new one, or close it only after the last acquire.',
  KNSOCK_POOL_QUEUE_FULL:
    'More callers wait than maxWaiters allows: shed load earlier, raise max, or raise maxWaiters.',
  KNSOCK_POOL_CREATE_TIMEOUT:
    'create took longer than createTimeout; does it heed the signal that it is given?',
  KNSOCK_LEASE_RELEASED:
    'Release a lease once, and don’t use its value afterwards; `use(fn)` does both by itself.',
} as const;

/** A code of the pool’s own. */
export type PoolErrorCode = keyof typeof hints;

/** The pool couldn’t lend, or was used wrongly. */
export class PoolError extends EasySocketError {
  static override readonly brand: string = 'PoolError';

  constructor(code: PoolErrorCode, message: string, details: ErrorDetails = {}) {
    super(code, message, { hint: hints[code], ...details });
  }
}

/** Nothing could be lent in time; `stats` is the pool’s state at that moment, `cause` the last failure to create, if any. */
export class PoolTimeoutError extends PoolError {
  static override readonly brand: string = 'PoolTimeoutError';
  readonly stats: PoolStats;
  /** How long the caller was willing to wait, in milliseconds. */
  readonly ms: number;

  constructor(ms: number, stats: PoolStats) {
    super('KNSOCK_POOL_TIMEOUT', `nothing to lend within ${ms.toLocaleString('en')} ms: ${describe(stats)}`, {
      cause: stats.lastFailure?.error,
      retryable: true,
      ...adviceOf(stats),
    });
    this.stats = stats;
    this.ms = ms;
  }
}

/** Where nothing is open because creating fails, what mends that is what mends this. */
function adviceOf({ lastFailure, active, idle, checking }: PoolStats): ErrorDetails {
  const error = lastFailure?.error;
  if (active + idle + checking > 0 || !(error instanceof EasySocketError)) return {};
  return { hint: error.hint, retryable: error.retryable };
}

/** As many callers wait as `maxWaiters` allows. */
export class PoolQueueFullError extends PoolError {
  static override readonly brand: string = 'PoolQueueFullError';
  readonly stats: PoolStats;
  readonly limit: number;

  constructor(limit: number, stats: PoolStats) {
    const message = `${limit.toLocaleString('en')} callers wait already, which is the limit: ${describe(stats)}`;
    super('KNSOCK_POOL_QUEUE_FULL', message, { retryable: true });
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
