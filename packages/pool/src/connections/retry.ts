import { ConnectionClosedError, ConnectionError, RequestNotStartedError } from '@knsock/core/errors';

/**
 * Whether a failed request may be retried. One that was provably not started always may; one that may have been
 * executed only if the caller marked it idempotent, and if the connection failed, not the answer.
 */
export function mayRetry(error: unknown, idempotent: boolean): boolean {
  if (error instanceof RequestNotStartedError) return true;
  return idempotent && isLostConnection(error);
}

/** The connection ended during the request; the request's own deadline doesn't count. */
export function isLostConnection(error: unknown): boolean {
  if (error instanceof ConnectionClosedError) return true;
  return error instanceof ConnectionError && error.code !== 'KNSOCK_REQUEST_TIMEOUT';
}

/** The peer didn't respond before the request's deadline. */
export function isSilence(error: unknown): boolean {
  return error instanceof ConnectionError && error.code === 'KNSOCK_REQUEST_TIMEOUT';
}
