import type { Buffer } from 'node:buffer';
import { MessageTooLargeError, ProtocolError } from '../../errors/index.js';

/** What a frame is; the low five bits of the byte after its length. See docs/wire-format.md. */
export const Kind = {
  WELCOME: 0x01,
  REFUSED: 0x02,
  MESSAGE: 0x03,
  REQUEST: 0x04,
  RESPONSE: 0x05,
  ERROR: 0x06,
  CANCEL: 0x07,
  REJECTED: 0x08,
  GOAWAY: 0x09,
  CLOSE: 0x0a,
  PING: 0x0b,
  PONG: 0x0c,
} as const;

/** The feature of WELCOME by which a side understands a CLOSE with a program's own code as a clean end. */
export const CLOSE_CODE = 'close-code';

/** The bytes before a body: the length and the kind. */
export const HEADER_BYTES = 5;
export const ID_BYTES = 8;
/** The largest body of a control frame, which is every kind but MESSAGE, REQUEST and RESPONSE. */
export const MAX_CONTROL_BYTES = 4096;

const FLAGS = 0xe0;
const U32 = 2 ** 32;

/** In `mostBytes`: data, whose size is a matter of the connection's limit. */
const DATA = 0xffff;

// By kind: name, whether an id comes first, the least and the most bytes of the body, the id included.
// What has one size only (CANCEL, GOAWAY, PING, PONG) is malformed when it is longer, too.
const rules: readonly (readonly [name: string, id: boolean, least: number, most: number])[] = [
  ['0x00', false, 1, 0],
  ['WELCOME', false, 8, MAX_CONTROL_BYTES],
  ['REFUSED', false, 1, MAX_CONTROL_BYTES],
  ['MESSAGE', false, 0, DATA],
  ['REQUEST', true, ID_BYTES, DATA],
  ['RESPONSE', true, ID_BYTES, DATA],
  ['ERROR', true, ID_BYTES + 1, MAX_CONTROL_BYTES],
  ['CANCEL', true, ID_BYTES, ID_BYTES],
  ['REJECTED', true, ID_BYTES + 1, MAX_CONTROL_BYTES],
  ['GOAWAY', true, ID_BYTES, ID_BYTES],
  ['CLOSE', false, 0, MAX_CONTROL_BYTES],
  ['PING', false, 8, 8],
  ['PONG', false, 8, 8],
];

// The same in flat memory: these are read for every frame.
const leastBytes = Uint8Array.from(rules, ([, , least]) => least);
const mostBytes = Uint16Array.from(rules, ([, , , most]) => most);
const idBytes = Uint8Array.from(rules, ([, id]) => (id ? ID_BYTES : 0));

/** The name of a kind, for people. */
export function kindName(kind: number): string {
  return rules[kind]?.[0] ?? hexByte(kind);
}

/** How many bytes of id the body of a kind that passed `checkFrame` begins with: 8 or 0. */
export function idBytesOf(kind: number): number {
  return idBytes[kind]!;
}

/**
 * Judges a frame by its first five bytes, before anything of it is kept.
 * @param length what the frame's first four bytes say: the bytes after them, kind included.
 * @throws ProtocolError, or MessageTooLargeError for a payload over `limit`.
 */
export function checkFrame(kind: number, length: number, limit: number): void {
  if (length === 0 || kind === 0 || kind > Kind.PONG) throw strangeFrame(kind, length);
  const body = length - 1;
  const most = mostBytes[kind]!;
  if (body < leastBytes[kind]! || (most !== DATA && body > most)) throw wrongSize(kind, body);
  if (most !== DATA) return;
  const payload = body - idBytes[kind]!;
  if (payload > limit) throw new MessageTooLargeError(payload, limit);
}

/**
 * Reads the id that a body begins with.
 * @throws ProtocolError for one over 2^53 − 1, or for 0 where it must name a request (everywhere but in GOAWAY).
 */
export function readId(source: Buffer, at: number, kind: number): number {
  const high = readU32(source, at);
  const low = readU32(source, at + 4);
  // Most ids are small, and integers cost less than doubles.
  const id = high === 0 ? low : high * U32 + low;
  if (id > Number.MAX_SAFE_INTEGER) throw new ProtocolError(`${kindName(kind)} names an id over 2^53 - 1`);
  if (id === 0 && kind !== Kind.GOAWAY)
    throw new ProtocolError(`${kindName(kind)} names id 0; ids start at 1`);
  return id;
}

/** Reads 32 bits that are known to be there, a third faster than `readUInt32BE`. */
export function readU32(source: Buffer, at: number): number {
  return ((source[at]! << 24) | (source[at + 1]! << 16) | (source[at + 2]! << 8) | source[at + 3]!) >>> 0;
}

function strangeFrame(kind: number, length: number): ProtocolError {
  if (length === 0) return new ProtocolError('a frame of length 0 has no kind');
  if ((kind & FLAGS) !== 0) {
    return new ProtocolError(`frame kind ${hexByte(kind)} has flag bits set, which version 1 reserves`);
  }
  return new ProtocolError(`frame kind ${hexByte(kind)} is unknown`);
}

function wrongSize(kind: number, body: number): ProtocolError {
  const least = leastBytes[kind]!;
  const most = mostBytes[kind]!;
  const range = most === DATA ? `${least} or more` : `${least} to ${most}`;
  const allowed = least === most ? `${least}` : range;
  return new ProtocolError(`${kindName(kind)} has a body of ${body} bytes where ${allowed} are allowed`);
}

function hexByte(byte: number): string {
  return `0x${byte.toString(16).padStart(2, '0')}`;
}
