import { Buffer } from 'node:buffer';
import { ProtocolError } from '../../errors/index.js';
import type { Failure } from './encode.js';

/** What a side accepts: payload bytes per message, and requests that it answers at a time; and what it knows beyond version 1. */
export interface Welcome {
  readonly maxMessage: number;
  readonly maxInFlight: number;
  /** Each feature's parameters by its name. */
  readonly features: ReadonlyMap<string, Buffer>;
}

/** Why nothing is (further) done for the peer. */
export interface Refusal {
  readonly reason: string;
  readonly text: string;
}

/** Reads the body of WELCOME; features that this version doesn't know are kept, and mean nothing. @throws ProtocolError */
export function parseWelcome(body: Buffer): Welcome {
  if (body.length < 8)
    throw new ProtocolError(`WELCOME has a body of ${body.length} bytes where 8 are needed`);
  return {
    maxMessage: body.readUInt32BE(0),
    maxInFlight: body.readUInt32BE(4),
    features: body.length === 8 ? NO_FEATURES : parseFeatures(body),
  };
}

const NO_FEATURES: ReadonlyMap<string, Buffer> = new Map();

/** Each is a word, its name, and another, its parameters; the first of a name counts. */
function parseFeatures(body: Buffer): ReadonlyMap<string, Buffer> {
  const features = new Map<string, Buffer>();
  for (let at = 8; at < body.length;) {
    const name = wordAt(body, at);
    const parameters = name === null ? null : wordAt(body, at + 1 + name.length);
    if (name === null || parameters === null)
      throw new ProtocolError('WELCOME ends inside one of its features');
    const key = ascii('WELCOME', name);
    if (!features.has(key)) features.set(key, Buffer.from(parameters));
    at += 2 + name.length + parameters.length;
  }
  return features;
}

function wordAt(body: Buffer, at: number): Buffer | null {
  if (at >= body.length) return null;
  const end = at + 1 + (body[at] as number);
  return end > body.length ? null : body.subarray(at + 1, end);
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
