import { EasySocketError, type ErrorDetails } from './base.js';

/**
 * Why a blocking call couldn't be made: the server would have to answer in the thread that the call blocks, or the
 * worker that does the work can't run.
 */
export type BlockingReason = 'same-thread' | 'worker';

/** A blocking call couldn't be made at all; nothing was sent. */
export class BlockingCallError extends EasySocketError {
  static override readonly brand: string = 'BlockingCallError';
  /** What makes the call impossible here. */
  readonly reason: BlockingReason;

  constructor(reason: BlockingReason, message: string, details?: ErrorDetails) {
    super(reason === 'worker' ? 'KNSOCK_BLOCKING_WORKER' : 'KNSOCK_BLOCKING_SAME_THREAD', message, details);
    this.reason = reason;
  }
}
