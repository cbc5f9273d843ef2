/** Keys that come as numbers, in JSON or in OpenSSH's format, as the DER that is checked before Node sees it. */
import type { KeyObject } from 'node:crypto';
import { Tag } from '../der.js';
import { malformed } from '../encryption/problem.js';
import { derElement } from '../formats/ber.js';
import { keyOid } from '../oid.js';
import { readPkcs8, readPlainKey } from './pkcs8.js';

/** Elliptic curves by JSON's names, with the DER of their identifiers and the length of a coordinate in bytes. */
const curves: Readonly<Record<string, readonly [oid: string, bytes: number]>> = {
  'P-256': ['06082a8648ce3d030107', 32],
  'P-384': ['06052b81040022', 48],
  'P-521': ['06052b81040023', 66],
};
/** PrivateKeyInfo up to the seed (RFC 8410 7). */
const edwards: Readonly<Record<string, readonly [start: string, bytes: number]>> = {
  Ed25519: ['302e020100300506032b657004220420', 32],
  Ed448: ['3047020100300506032b6571043b0439', 57],
};

export interface RsaNumbers {
  readonly n: Buffer;
  readonly e: Buffer;
  readonly d: Buffer;
  readonly p: Buffer;
  readonly q: Buffer;
  readonly dp: Buffer;
  readonly dq: Buffer;
  readonly qi: Buffer;
}

/** @throws FileProblem 'malformed' */
export function rsaKey({ n, e, d, p, q, dp, dq, qi }: RsaNumbers): KeyObject {
  const numbers = [Buffer.of(0), n, e, d, p, q, dp, dq, qi].map(integer);
  return readPlainKey(derElement(Tag.sequence, Buffer.concat(numbers)), `is an RSA key (${keyOid.rsa})`);
}

/** @throws FileProblem 'malformed' */
export function ecKey(curve: string, d: Buffer, x: Buffer, y: Buffer): KeyObject {
  const [oid, bytes] = curves[curve] ?? refuseCurve(curve);
  const [secret, ...point] = [d, x, y].map((number) => padded(number, bytes)) as [Buffer, Buffer, Buffer];
  const bits = derElement(Tag.bitString, Buffer.concat([Buffer.of(0, 4), ...point]));
  const content = [
    Buffer.of(Tag.integer, 1, 1),
    derElement(Tag.octetString, secret),
    derElement(0xa0, Buffer.from(oid, 'hex')),
    derElement(0xa1, bits),
  ];
  return readPlainKey(derElement(Tag.sequence, Buffer.concat(content)), `is a key on ${curve}`);
}

/** @throws FileProblem 'malformed' */
export function edwardsKey(curve: string, seed: Buffer): KeyObject {
  const [start, bytes] = edwards[curve] ?? refuseCurve(curve);
  if (seed.length !== bytes)
    throw malformed(`is an ${curve} key of ${seed.length} bytes instead of ${bytes}`);
  return readPkcs8(Buffer.concat([Buffer.from(start, 'hex'), seed]), `is an ${curve} key`);
}

/** A positive INTEGER, as short as possible. */
function integer(number: Buffer): Buffer {
  const short = withoutZeros(number);
  const content = (short[0] ?? 0x80) >= 0x80 ? Buffer.concat([Buffer.of(0), short]) : short;
  return derElement(Tag.integer, content);
}

function padded(number: Buffer, bytes: number): Buffer {
  const short = withoutZeros(number);
  if (short.length > bytes) throw malformed('is a key whose numbers are too long for its curve');
  return Buffer.concat([Buffer.alloc(bytes - short.length), short]);
}

function withoutZeros(number: Buffer): Buffer {
  const start = number.findIndex((byte) => byte !== 0);
  return start < 0 ? Buffer.alloc(0) : number.subarray(start);
}

function refuseCurve(curve: string): never {
  throw malformed(`is a key on the curve ${curve}, which isn't used here`);
}
