import { createHash } from '../../node/crypto.js';
import type { WorkBudget } from './work-budget.js';

/** What the derived bytes are for (RFC 7292 B.3). */
export const Purpose = { key: 1, iv: 2, mac: 3 } as const;

/** Each round is a call into node:crypto, several times as slow as one inside PBKDF2. */
const COST_OF_ROUND = 5;

/** Sizes of the hashes' output and block, in bytes. */
const sizes = {
  sha1: { digest: 20, block: 64 },
  sha224: { digest: 28, block: 64 },
  sha256: { digest: 32, block: 64 },
  sha384: { digest: 48, block: 128 },
  sha512: { digest: 64, block: 128 },
} as const;

export type LegacyHash = keyof typeof sizes;

export interface LegacyParameters {
  readonly hash: LegacyHash;
  readonly salt: Buffer;
  readonly iterations: number;
}

/** Derives `length` bytes as PKCS#12 itself defines it (RFC 7292 appendix B.2). */
export function deriveLegacy(
  { hash, salt, iterations }: LegacyParameters,
  purpose: (typeof Purpose)[keyof typeof Purpose],
  bmp: Buffer,
  length: number,
  budget: WorkBudget,
): Buffer {
  const { digest, block } = sizes[hash];
  budget.spend(iterations * Math.ceil(length / digest) * COST_OF_ROUND);
  const diversifier = Buffer.alloc(block, purpose);
  const input = Buffer.concat([repeated(salt, block), repeated(bmp, block)]);
  const derived: Buffer[] = [];
  for (let have = 0; have < length; have += digest) {
    const piece = hashRepeatedly(hash, Buffer.concat([diversifier, input]), iterations);
    derived.push(piece);
    addToEachBlock(input, repeated(piece, block).subarray(0, block));
  }
  return Buffer.concat(derived).subarray(0, length);
}

/** The length of a hash's output. */
export const digestLength = (hash: LegacyHash): number => sizes[hash].digest;

/** Copies of `bytes` up to a whole number of blocks; nothing stays nothing. */
function repeated(bytes: Buffer, block: number): Buffer {
  const length = Math.ceil(bytes.length / block) * block;
  return length === 0 ? Buffer.alloc(0) : Buffer.alloc(length, bytes);
}

function hashRepeatedly(hash: LegacyHash, input: Buffer, rounds: number): Buffer {
  let value = input;
  for (let round = 0; round < rounds; round += 1) value = createHash(hash).update(value).digest();
  return value;
}

/** Adds `addend` and one to each block of `input`, as big-endian numbers without the last carry. */
function addToEachBlock(input: Buffer, addend: Buffer): void {
  for (let start = 0; start < input.length; start += addend.length) {
    let carry = 1;
    for (let at = addend.length - 1; at >= 0; at -= 1) {
      carry += (input[start + at] as number) + (addend[at] as number);
      input[start + at] = carry & 0xff;
      carry >>= 8;
    }
  }
}
