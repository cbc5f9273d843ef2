import { Buffer } from 'node:buffer';
import { MessageTooLargeError, ProtocolError } from '../../errors/index.js';
import type { Output } from '../framing.js';
import { HEADER_BYTES, ID_BYTES, Kind, kindName, MAX_CONTROL_BYTES } from './kinds.js';

const U32 = 2 ** 32;
const MAX_U32 = U32 - 1;
/** The largest payload whose frame length fits 32 bits. */
const MAX_PAYLOAD_BYTES = MAX_U32 - 1 - ID_BYTES;
const MAX_WORD_BYTES = 255;
const NOTHING = new Uint8Array(0);

/** Why a side refuses to go on, or answers with a failure: a short code for programs and a text for people. */
export interface Failure {
  readonly code: string;
  readonly text: string;
}

/**
 * Writes MESSAGE (`id` is ignored), REQUEST or RESPONSE.
 * @throws MessageTooLargeError for a payload over 2^32 − 10 bytes, which no frame holds; nothing was written then.
 */
export function encodeFrame(kind: number, id: number, payload: Uint8Array | null, out: Output): void {
  const bytes = payload ?? NOTHING;
  if (bytes.length > MAX_PAYLOAD_BYTES) throw new MessageTooLargeError(bytes.length, MAX_PAYLOAD_BYTES);
  if (kind === Kind.MESSAGE) header(kind, bytes.length, out);
  else headerWithId(kind, id, bytes.length, out);
  if (bytes.length > 0) out.append(bytes);
}

/** Each side's first frame; limits over 2^32 − 1 are announced as that. */
export function encodeWelcome(
  out: Output,
  { maxMessage, maxInFlight, features }: { maxMessage: number; maxInFlight: number; features?: Features },
): void {
  let length = 8;
  for (const [name, parameters] of features ?? []) length += 2 + name.length + parameters.length;
  header(Kind.WELCOME, length, out);
  const at = out.reserve(8);
  out.buffer.writeUInt32BE(Math.min(maxMessage, MAX_U32), at);
  out.buffer.writeUInt32BE(Math.min(maxInFlight, MAX_U32), at + 4);
  for (const [name, parameters] of features ?? []) {
    out.append(
      Buffer.concat([Buffer.of(name.length), ascii(name), Buffer.of(parameters.length), parameters]),
    );
  }
}

/** Parameters by the names of features; a name has 1 to 255 characters of ASCII, parameters up to 255 bytes. */
type Features = ReadonlyMap<string, Uint8Array>;

export function encodeRefused(out: Output, reason: string, text: string): void {
  const body = wordAndText(ascii(reason), text, MAX_CONTROL_BYTES);
  header(Kind.REFUSED, body.length, out);
  out.append(body);
}

export function encodeError(out: Output, id: number, code: string, text: string): void {
  const body = wordAndText(utf8(code, MAX_WORD_BYTES), text, MAX_CONTROL_BYTES - ID_BYTES);
  headerWithId(Kind.ERROR, id, body.length, out);
  out.append(body);
}

export function encodeCancel(out: Output, id: number): void {
  headerWithId(Kind.CANCEL, id, 0, out);
}

export function encodeRejected(out: Output, id: number, reason: 'busy' | 'draining', text: string): void {
  const body = wordAndText(ascii(reason), text, MAX_CONTROL_BYTES - ID_BYTES);
  headerWithId(Kind.REJECTED, id, body.length, out);
  out.append(body);
}

/** @param lastId the last of the peer's requests that will be answered; 0 where none will. */
export function encodeGoaway(out: Output, lastId: number): void {
  headerWithId(Kind.GOAWAY, lastId, 0, out);
}

/** Without `failure` the end is a clean one. */
export function encodeClose(out: Output, failure?: Failure): void {
  const body = failure ? wordAndText(ascii(failure.code), failure.text, MAX_CONTROL_BYTES) : NOTHING;
  header(Kind.CLOSE, body.length, out);
  if (body.length > 0) out.append(body);
}

/** @param token eight bytes that the PONG brings back. */
export function encodePing(out: Output, token: Uint8Array): void {
  heartbeat(Kind.PING, token, out);
}

/** @param token the eight bytes of the PING. */
export function encodePong(out: Output, token: Uint8Array): void {
  heartbeat(Kind.PONG, token, out);
}

function heartbeat(kind: number, token: Uint8Array, out: Output): void {
  if (token.length !== 8) throw new ProtocolError(`${kindName(kind)} carries 8 bytes, not ${token.length}`);
  header(kind, 8, out);
  out.append(token);
}

function header(kind: number, bodyBytes: number, out: Output): void {
  const at = out.reserve(HEADER_BYTES);
  const buffer = out.buffer;
  writeU32(buffer, at, bodyBytes + 1);
  buffer[at + 4] = kind;
}

function headerWithId(kind: number, id: number, restBytes: number, out: Output): void {
  const at = out.reserve(HEADER_BYTES + ID_BYTES);
  const buffer = out.buffer;
  writeU32(buffer, at, restBytes + 1 + ID_BYTES);
  buffer[at + 4] = kind;
  writeU32(buffer, at + 5, Math.floor(id / U32));
  writeU32(buffer, at + 9, id);
}

/** Writes the low 32 bits where there is room for them, at a third of what `writeUInt32BE` costs. */
function writeU32(buffer: Buffer, at: number, value: number): void {
  buffer[at] = value >>> 24;
  buffer[at + 1] = value >>> 16;
  buffer[at + 2] = value >>> 8;
  buffer[at + 3] = value;
}

function wordAndText(word: Buffer, text: string, room: number): Buffer {
  return Buffer.concat([Buffer.of(word.length), word, utf8(text, room - 1 - word.length)]);
}

function ascii(word: string): Buffer {
  return Buffer.from(word.slice(0, MAX_WORD_BYTES).replace(/[^\x20-\x7e]/g, '?'), 'latin1');
}

/** Cuts a text to at most `room` bytes of UTF-8 without splitting a character. */
function utf8(text: string, room: number): Buffer {
  // A code unit takes a byte or more, so nothing past the first `room + 1` of them can matter.
  const bytes = Buffer.from(text.slice(0, room + 1));
  if (bytes.length <= room) return bytes;
  let end = room;
  while (end > 0 && (bytes[end]! & 0xc0) === 0x80) end--;
  return bytes.subarray(0, end);
}
