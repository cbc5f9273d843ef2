/** What a program sees of a server. */
import type { Credentials } from '../credentials/credentials.js';
import type { CredentialSource } from '../credentials/source.js';
import type { SecureConnection } from '../connection/connection-types.js';
import type { Payload } from '../framing/framing.js';
import type { TrustOptions } from '../trust/trust-policy.js';
import type { AdmissionRefusal } from './admission.js';
import type { SniMap } from './trust-state.js';

/** Where a server listens: an IP address with its port, or the path of a Unix socket. */
export type ServerAddress =
  { readonly address: string; readonly family: string; readonly port: number } | { readonly path: string };

/** Counters of a server since it began to listen. */
export interface ServerStats {
  /** Open connections with an admitted peer. */
  readonly connections: number;
  /** Sockets currently between accept and admission. */
  readonly pendingHandshakes: number;
  /** Sockets accepted. */
  readonly accepted: number;
  /** Peers admitted. */
  readonly admitted: number;
  /** Sockets refused before their handshake, by the limit that refused them. */
  readonly refusedSockets: Readonly<Record<AdmissionRefusal, number>>;
  /** Handshakes that failed, ran out of time or were broken off. */
  readonly failedHandshakes: number;
  /** Peers whose handshake succeeded and whose verification failed. */
  readonly refusedPeers: number;
  /** Handshakes that answered an ACME server's validation of a name (tls-alpn-01); none of them is admitted or refused. */
  readonly validations: number;
  /** Times that credentials or rules were replaced. */
  readonly rotations: number;
  /** How often accepting failed; running out of descriptors counts once, however long it lasts. */
  readonly acceptErrors: number;
}

/** What `rotate` replaces; what is left out or undefined stays, and null removes a rule. */
export interface Rotation {
  /** The new ones; absent: as before. */
  readonly credentials?: Credentials | CredentialSource | undefined;
  /** The whole map. */
  readonly sni?: SniMap | null | undefined;
  /** New rules; null: none; absent: as before. */
  readonly authorize?: TrustOptions['authorize'] | null;
  /** A new source; null: none; absent: as before. */
  readonly revocation?: TrustOptions['revocation'] | null;
  /** New pins; null: none; absent: as before. */
  readonly pins?: TrustOptions['pins'] | null;
}

/** A server that listens. */
export interface SecureServer<In = Buffer, Out = Payload> extends AsyncDisposable {
  /** Where it listens. */
  readonly address: ServerAddress;
  /** The open connections. */
  connections(): Iterable<SecureConnection<In, Out>>;
  /** Counts since it began to listen. */
  stats(): ServerStats;
  /**
   * Replaces credentials or rules atomically: checked first, then in force for new, resumed and live connections at once.
   * Resolves when every connected peer was verified again; those no longer trusted are disconnected.
   * @throws CredentialsError, InvalidOptionError; nothing has changed then
   */
  rotate(next: Credentials | Rotation): Promise<void>;
  /**
   * Stops accepting, announces the end, waits for work in flight until the deadline (default `drainTimeout`), then
   * cuts off the rest. A second call returns the same promise.
   */
  close(options?: { deadline?: number | undefined }): Promise<void>;
}
