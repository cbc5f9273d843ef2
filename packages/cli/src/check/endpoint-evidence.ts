/** The results of probing an endpoint; rules evaluate them without a network. */
import type { PlainTextManners, Resumption } from './probing/handshakes.js';
import type { Survey } from './probing/survey.js';
import type { TrustResult } from './trust-result.js';

export interface EndpointEvidence extends Survey {
  /** Whether it allows a client to renegotiate. */
  readonly renegotiation: boolean;
  /** Undefined if only a client with a certificate could find out. */
  readonly resumption: Resumption | undefined;
  /** Whether it accepts a client without a certificate. */
  readonly admitsAnonymous: boolean;
  /** Whether it accepts a client with an untrusted certificate; undefined if it accepts all clients. */
  readonly admitsStrangers: boolean | undefined;
  readonly plainText: PlainTextManners;
  readonly verdict: TrustResult;
}
