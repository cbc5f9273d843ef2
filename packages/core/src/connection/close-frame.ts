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
import { show } from '../options/readers.js';
import type { CloseOptions } from './connection-types.js';
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

/** The `code` of `close()`. @throws InvalidOptionError */
export function readCloseCode(option: string, code: string | undefined): string | undefined {
  if (code === undefined || (typeof code === 'string' && isProgramCode(code))) return code;
  const isReserved = typeof code === 'string' && code.startsWith(RESERVED);
  const words = isReserved
    ? `codes that begin with ${RESERVED} are reserved for failures of knsock itself`
    : `${option} must be 1 to ${LONGEST_CODE} characters of printable ASCII, not ${show(code)}`;
  throw new InvalidOptionError(option, words);
}

/** The `code` and `text` of `close()`, which go together. */
export function closeReason({ code, text = '' }: CloseOptions = {}): CloseReason | null {
  return code === undefined ? null : { code, text };
}

export function wrongReason({ code, text }: CloseOptions = {}): InvalidOptionError | undefined {
  if (code !== undefined || text === undefined) return undefined;
  return new InvalidOptionError('code', 'text needs a code: close({ code, text })');
}
