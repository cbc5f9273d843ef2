/** What probing an endpoint has shown; rules judge it without a network. */
import type { Verdict } from './verdict.js';

export type TlsVersion = 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';

export interface EndpointEvidence {
  /** The versions that it accepts. */
  readonly versions: readonly TlsVersion[];
  /** The suites of TLS 1.2 and older that it accepts, in OpenSSL's names. */
  readonly suites: readonly string[];
  /** Whether its own order of suites counts; undefined where it accepts fewer than two. */
  readonly serverPreference: boolean | undefined;
  /** Whether it negotiates the post-quantum hybrid group; undefined where this Node can't ask. */
  readonly hybridGroup: boolean | undefined;
  /** Whether it signs with SHA-1. */
  readonly sha1Signatures: boolean;
  /** Whether it lets a client renegotiate. */
  readonly renegotiation: boolean;
  /** Whether it resumes sessions; undefined where only clients with a certificate could tell. */
  readonly resumption: boolean | undefined;
  /** Whether it lets a client in that shows no certificate. */
  readonly admitsAnonymous: boolean;
  /** What it does with bytes that aren't TLS. */
  readonly plainText: 'closes' | 'answers' | 'hangs';
  readonly verdict: Verdict;
}
