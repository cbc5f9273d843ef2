/** Why a side ends a knsock/1 connection, as a frame: REFUSED where the peer isn't trusted, CLOSE with a code otherwise. */
import { EasySocketError, PeerNotAllowedError, UntrustedPeerError } from '../errors/index.js';
import type { Output } from '../framing/framing.js';
import { encodeClose, encodeRefused } from '../framing/knsock/index.js';

/** @param error undefined for a clean end */
export function encodeLastWords(out: Output, error: Error | undefined): void {
  if (error === undefined) encodeClose(out);
  else if (error instanceof UntrustedPeerError) encodeRefused(out, error.reason, error.message);
  // The peer learns that our rules don't admit it, and not what they ask for.
  else if (error instanceof PeerNotAllowedError)
    encodeRefused(out, error.reason, 'no rule here admits this certificate');
  else if (error instanceof EasySocketError) encodeClose(out, { code: error.code, text: error.message });
  // What a program's own errors say may be secret.
  else encodeClose(out, { code: 'internal', text: '' });
}
