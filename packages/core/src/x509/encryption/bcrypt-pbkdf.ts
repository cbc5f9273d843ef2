/** OpenBSD's bcrypt_pbkdf, by which OpenSSH turns a passphrase into a key. */
import { createHash } from '../../node/crypto.js';
import { Blowfish } from './blowfish.js';

/** One round is one bcrypt, of about 7 ms: so many rounds of PBKDF2. */
export const COST_OF_BCRYPT = 17_500;
const TEXT = Buffer.from('OxychromaticBlowfishSwatDynamite');

export interface BcryptParameters {
  readonly passphrase: Buffer;
  readonly salt: Buffer;
  readonly iterations: number;
  readonly length: number;
}

/** How many times bcrypt runs in all. */
export const bcryptRounds = ({ iterations, length }: BcryptParameters): number =>
  iterations * Math.ceil(length / TEXT.length);

/** Derives the bytes, and stops after each bcrypt. The pieces' bytes are dealt out by turns, not one piece after another. */
export function* bcryptPbkdf(derivation: BcryptParameters): Generator<void, Buffer> {
  const { salt, iterations, length } = derivation;
  const passphrase = sha512(derivation.passphrase);
  const pieces = Math.ceil(length / TEXT.length);
  const key = Buffer.alloc(length);
  for (let piece = 0; piece < pieces; piece += 1) {
    const counter = Buffer.alloc(4);
    counter.writeUInt32BE(piece + 1);
    let last = bcrypt(passphrase, sha512(salt, counter));
    const sum = Buffer.from(last);
    for (let round = 1; round < iterations; round += 1) {
      yield;
      last = bcrypt(passphrase, sha512(last));
      for (let at = 0; at < sum.length; at += 1) sum[at] = (sum[at] as number) ^ (last[at] as number);
    }
    for (let at = piece, from = 0; at < length; at += pieces, from += 1) key[at] = sum[from] as number;
  }
  return key;
}

function bcrypt(passphrase: Buffer, salt: Buffer): Buffer {
  const cipher = new Blowfish();
  cipher.expand(passphrase, salt);
  for (let round = 0; round < 64; round += 1) {
    cipher.expand(salt);
    cipher.expand(passphrase);
  }
  const output = Buffer.alloc(TEXT.length);
  for (let at = 0; at < TEXT.length; at += 8) {
    cipher.left = TEXT.readInt32BE(at);
    cipher.right = TEXT.readInt32BE(at + 4);
    for (let round = 0; round < 64; round += 1) cipher.encrypt();
    output.writeInt32LE(cipher.left, at);
    output.writeInt32LE(cipher.right, at + 4);
  }
  return output;
}

function sha512(...parts: readonly Buffer[]): Buffer {
  return createHash('sha512').update(Buffer.concat(parts)).digest();
}
