import type { Buffer } from 'node:buffer';
import { ProtocolError } from '../../errors/index.js';
import type { Failure } from './encode.js';

/** What a side accepts: payload bytes per message, and requests that it answers at a time. */
export interface Welcome {
  readonly maxMessage: number;
  readonly maxInFlight: number;
}

/** Why nothing is (further) done for the peer. */
export interface Refusal {
  readonly reason: string;
  readonly text: string;
}

/** Reads the body of WELCOME; bytes behind the two limits belong to later versions and are passed over. */
export function parseWelcome(body: Buffer): Welcome {
  if (body.length < 8)
    throw new ProtocolError(`WELCOME has a body of ${body.length} bytes where 8 are needed`);
  return { maxMessage: body.readUInt32BE(0), maxInFlight: body.readUInt32BE(4) };
}

/** Reads the body of REFUSED; the reason may be one that this version doesn't know. */
export function parseRefused(body: Buffer): Refusal {
  const { word, text } = wordAndText('REFUSED', body);
  return { reason: ascii('REFUSED', word), text };
}

/** Reads the body of REJECTED, the id left out. */
export function parseRejected(body: Buffer): Refusal {
  const { word, text } = wordAndText('REJECTED', body);
  return { reason: ascii('REJECTED', word), text };
}

/** Reads the body of ERROR, the id left out. */
export function parseError(body: Buffer): Failure {
  const { word, text } = wordAndText('ERROR', body);
  return { code: word.toString('utf8'), text };
}

/** Reads the body of CLOSE; null for a clean end. */
export function parseClose(body: Buffer): Failure | null {
  if (body.length === 0) return null;
  const { word, text } = wordAndText('CLOSE', body);
  return { code: ascii('CLOSE', word), text };
}

// The text is for people: what isn't UTF-8 in it is replaced rather than held against the peer.
function wordAndText(frame: string, body: Buffer): { word: Buffer; text: string } {
  const end = body.length === 0 ? Infinity : 1 + body[0]!;
  if (end > body.length) throw new ProtocolError(`${frame} ends before its code or reason does`);
  return { word: body.subarray(1, end), text: body.toString('utf8', end) };
}

function ascii(frame: string, word: Buffer): string {
  for (const byte of word) {
    if (byte < 0x20 || byte > 0x7e) {
      throw new ProtocolError(
        `${frame} has a code or reason with byte 0x${byte.toString(16)}, not printable ASCII`,
      );
    }
  }
  return word.toString('latin1');
}
