/** What goes between a blocked thread and the worker that does its work. */
import type { MessagePort } from 'node:worker_threads';
import type { PackedError } from '../errors/packed-error.js';
import type { SslMessage } from '../facade/ssl-message-options.js';

/** What the worker is given when it starts. */
export interface WorkerStart {
  /** Jobs in, outcomes out. */
  readonly port: MessagePort;
  /** One number, which grows with each outcome posted; the blocked thread sleeps on it. */
  readonly posted: Int32Array;
}

/** One message to exchange. */
export interface Job {
  readonly id: number;
  readonly message: SslMessage;
  /** Whether to keep the connection for the next job to the same server. */
  readonly keep: boolean;
}

/** How a job ended; the first of all, with id 0, says that the worker is up. */
export type Outcome =
  { readonly id: number; readonly reply: Uint8Array } | { readonly id: number; readonly error: PackedError };
