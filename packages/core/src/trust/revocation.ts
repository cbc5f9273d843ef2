/** Revocation: whether a certificate that was valid when issued still is. */
import type { X509Certificate } from '../x509/index.js';

/** A revocation source's answer for a path. */
export interface RevocationVerdict {
  /** `unknown` refuses the peer. */
  readonly status: 'good' | 'revoked' | 'unknown';
  /** The certificate concerned: its place on the path, 1 is the peer's own. */
  readonly position: number;
  /** Such as `keyCompromise`, or why the status is unknown. */
  readonly reason?: string | undefined;
  /** How long the answer is valid. */
  readonly until?: Date | undefined;
}

/** Reports whether certificates are revoked; implement it to provide your own source. Unknown refuses. */
export interface RevocationSource {
  /** Changes whenever an answer may have changed. */
  readonly version: string;
  /** Calls `listener` when answers may have changed: connected peers are verified again. The returned function unsubscribes. */
  onChange(listener: () => void): () => void;
  /**
   * Returns whether a certificate of the path is revoked; an exception counts as `unknown`.
   * @param path from the peer's certificate (0) to the anchor; on a resumed connection perhaps only the certificate
   */
  check(
    path: readonly X509Certificate[],
    context: { at: Date; signal: AbortSignal },
  ): RevocationVerdict | Promise<RevocationVerdict>;
}
