/** Why a side ends a knsock/1 connection, as a frame: REFUSED where the peer isn't trusted, CLOSE with a code otherwise. */
import {
  EasySocketError,
  InvalidOptionError,
  PeerNotAllowedError,
  UntrustedPeerError,
} from '../errors/index.js';
import type { Output } from '../framing/framing.js';
import { wordsOf } from '../errors/name-address.js';
import { encodeClose, encodeRefused } from '../framing/knsock/index.js';
import type { CloseReason } from './protocol.js';

/** The code of an error whose message comes from the program, and may be secret. */
const INTERNAL = 'KNSOCK_INTERNAL';
const RESERVED = 'KNSOCK_';
const LONGEST_CODE = 64;

/** @param byProgram whether the program's code threw it: then none of it is sent */
export function encodeFailure(out: Output, error: Error, byProgram: boolean): void {
  if (byProgram || !(error instanceof EasySocketError)) encodeClose(out, { code: INTERNAL, text: '' });
  else if (error instanceof UntrustedPeerError) encodeRefused(out, error.reason, wordsOf(error));
  // The peer learns that our rules don't admit it, not what they require.
  else if (error instanceof PeerNotAllowedError)
    encodeRefused(out, error.reason, 'no rule here admits this certificate');
  else encodeClose(out, { code: error.code, text: wordsOf(error) });
}

/** Whether a code in CLOSE was chosen by a program; such a code ends the connection cleanly. */
export function isProgramCode(code: string): boolean {
  return /^[ -~]{1,64}$/.test(code) && !code.startsWith(RESERVED);
}

/** The `code` and `text` of `close()`. @throws InvalidOptionError */
export function parseCloseReason(code: unknown, text: unknown): CloseReason | null {
  if (text !== undefined && typeof text !== 'string')
    throw new InvalidOptionError('text', `text must be text, not ${typeof text}`);
  if (code === undefined) {
    if (text === undefined) return null;
    throw new InvalidOptionError('code', 'text needs a code: close({ code, text })');
  }
  if (typeof code !== 'string' || !/^[ -~]{1,64}$/.test(code)) {
    const words = `code must be 1 to ${LONGEST_CODE} characters of printable ASCII`;
    throw new InvalidOptionError('code', words);
  }
  if (code.startsWith(RESERVED))
    throw new InvalidOptionError(
      'code',
      `codes that begin with ${RESERVED} are reserved for failures of knsock itself`,
    );
  return { code, text: text ?? '' };
}
