import type { Payload } from '../framing/framing.js';
import type { IncomingRequest, SecureConnection } from './connection-types.js';

/** Where an error came from. */
export interface ErrorContext<In = Buffer, Out = Payload> {
  /** The connection whose handler, listener or call failed; null where none was concerned. */
  readonly connection: SecureConnection<In, Out> | null;
  /** The peer's request whose handler failed; null where none was concerned. */
  readonly request: IncomingRequest<In, Out> | null;
}

/**
 * Receives every error that reaches no caller: what handlers and listeners throw, failures of calls that weren't awaited,
 * and failures of work in the background, such as a rotation. One that throws or rejects itself is reported by a
 * process warning.
 */
export type ErrorListener<In = Buffer, Out = Payload> = (
  error: Error,
  context: ErrorContext<In, Out>,
) => void | Promise<void>;
