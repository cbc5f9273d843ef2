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

/** The bytes before a body: the length and the kind. */
export const HEADER_BYTES = 5;
export const ID_BYTES = 8;
/** The largest body of a control frame, which is every kind but MESSAGE, REQUEST and RESPONSE. */
export const MAX_CONTROL_BYTES = 4096;

const FLAGS = 0xe0;
const U32 = 2 ** 32;

interface BodyRule {
  readonly name: string;
  /** Whether the body begins with an id. */
  readonly id: boolean;
  /** The least a body has, its id included. */
  readonly least: number;
  /** The most a body has, its id included; for data that is the connection's limit. */
  readonly most: number;
}

const control = (name: string, least: number, most = MAX_CONTROL_BYTES): BodyRule => ({
  name,
  id: false,
  least,
  most,
});
const answer = (name: string, least: number, most = MAX_CONTROL_BYTES): BodyRule => ({
  name,
  id: true,
  least,
  most,
});

// By kind. PING, PONG, CANCEL and GOAWAY have one size; whatever is longer is malformed as well.
const rules: readonly (BodyRule | undefined)[] = [
  undefined,
  control('WELCOME', 8),
  control('REFUSED', 1),
  control('MESSAGE', 0, Infinity),
  answer('REQUEST', ID_BYTES, Infinity),
  answer('RESPONSE', ID_BYTES, Infinity),
  answer('ERROR', ID_BYTES + 1),
  answer('CANCEL', ID_BYTES, ID_BYTES),
  answer('REJECTED', ID_BYTES + 1),
  answer('GOAWAY', ID_BYTES, ID_BYTES),
  control('CLOSE', 0),
  control('PING', 8, 8),
  control('PONG', 8, 8),
];

/** The name of a kind that passed `checkFrame`. */
export function kindName(kind: number): string {
  return rules[kind]?.name ?? `0x${kind.toString(16).padStart(2, '0')}`;
}

/** Whether the body of a kind that passed `checkFrame` begins with an id. */
export function hasId(kind: number): boolean {
  return rules[kind]!.id;
}

/**
 * Judges a frame by its first five bytes, before anything of it is kept.
 * @param length what the frame's first four bytes say: the bytes after them, kind included.
 * @throws ProtocolError, or MessageTooLargeError for a payload over `limit`.
 */
export function checkFrame(kind: number, length: number, limit: number): void {
  const rule = rules[kind];
  if (length === 0 || rule === undefined) throw strangeFrame(kind, length);
  const body = length - 1;
  if (body < rule.least || body > rule.most) throw wrongSize(rule, body);
  if (rule.most !== Infinity) return;
  const payload = rule.id ? body - ID_BYTES : body;
  if (payload > limit) throw new MessageTooLargeError(payload, limit);
}

/**
 * Reads the id that a body begins with.
 * @throws ProtocolError for one over 2^53 − 1, or for 0 where it must name a request (everywhere but in GOAWAY).
 */
export function readId(source: Buffer, at: number, kind: number): number {
  const id = source.readUInt32BE(at) * U32 + source.readUInt32BE(at + 4);
  if (id > Number.MAX_SAFE_INTEGER) throw new ProtocolError(`${kindName(kind)} names an id over 2^53 - 1`);
  if (id === 0 && kind !== Kind.GOAWAY)
    throw new ProtocolError(`${kindName(kind)} names id 0; ids start at 1`);
  return id;
}

function strangeFrame(kind: number, length: number): ProtocolError {
  if (length === 0) return new ProtocolError('a frame of length 0 has no kind');
  const byte = `0x${kind.toString(16).padStart(2, '0')}`;
  if ((kind & FLAGS) !== 0) {
    return new ProtocolError(`frame kind ${byte} has flag bits set, which version 1 reserves`);
  }
  return new ProtocolError(`frame kind ${byte} is unknown`);
}

function wrongSize(rule: BodyRule, body: number): ProtocolError {
  const range = rule.most === Infinity ? `${rule.least} or more` : `${rule.least} to ${rule.most}`;
  const allowed = rule.least === rule.most ? `${rule.least}` : range;
  return new ProtocolError(`${rule.name} has a body of ${body} bytes where ${allowed} are allowed`);
}
