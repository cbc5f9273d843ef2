/** What a program sees of a server. */
import type { SecureConnection } from '../connection/secure-connection.js';
import type { Payload } from '../framing/framing.js';

export type ServerAddress =
  { readonly address: string; readonly family: string; readonly port: number } | { readonly path: string };

/** Counters of a server since it began to listen. */
export interface ServerStats {
  /** Connections open now. */
  readonly connections: number;
  /** Sockets not yet let in. */
  readonly pendingHandshakes: number;
  /** Sockets accepted. */
  readonly accepted: number;
  /** Sockets turned away, by a limit, a failed handshake or a verdict. */
  readonly refused: number;
}

export interface SecureServer<In = Buffer, Out = Payload> extends AsyncDisposable {
  readonly address: ServerAddress;
  connections(): Iterable<SecureConnection<In, Out>>;
  stats(): ServerStats;
  /**
   * Stops accepting, announces the end, lets work in flight finish until the deadline (default `drainTimeout`), then
   * cuts off the rest. A second call is the same promise.
   */
  close(options?: { deadline?: number | undefined }): Promise<void>;
}
