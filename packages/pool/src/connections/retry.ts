import { ConnectionClosedError, ConnectionError, RequestNotStartedError } from '@knsock/core/errors';

/**
 * Whether a request that failed may be sent again. One that was provably not started always may; one that may have been
 * done only where its sender called it idempotent, and where it was the connection that failed, not the answer.
 */
export function mayRetry(error: unknown, idempotent: boolean): boolean {
  if (error instanceof RequestNotStartedError) return true;
  return idempotent && isLostConnection(error);
}

/** The connection ended under the request; its own deadline is another matter. */
export function isLostConnection(error: unknown): boolean {
  if (error instanceof ConnectionClosedError) return true;
  return error instanceof ConnectionError && error.code !== 'KNSOCK_REQUEST_TIMEOUT';
}

/** The peer kept silent until the request’s deadline. */
export function isSilence(error: unknown): boolean {
  return error instanceof ConnectionError && error.code === 'KNSOCK_REQUEST_TIMEOUT';
}
