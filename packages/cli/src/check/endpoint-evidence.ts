/** What probing an endpoint has shown; rules judge it without a network. */
import type { PlainTextManners, Resumption } from './probing/handshakes.js';
import type { Survey } from './probing/survey.js';
import type { TrustResult } from './trust-result.js';

export interface EndpointEvidence extends Survey {
  /** Whether it lets a client renegotiate. */
  readonly renegotiation: boolean;
  /** Undefined where only clients with a certificate could tell. */
  readonly resumption: Resumption | undefined;
  /** Whether it lets a client in that shows no certificate. */
  readonly admitsAnonymous: boolean;
  /** Whether it lets a client in whose certificate nobody issued; undefined where anybody gets in. */
  readonly admitsStrangers: boolean | undefined;
  readonly plainText: PlainTextManners;
  readonly verdict: TrustResult;
}
