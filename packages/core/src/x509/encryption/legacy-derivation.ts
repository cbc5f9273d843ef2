import { hash as hashOnce } from '../../node/crypto.js';

/** What the derived bytes are for (RFC 7292 B.3). */
export const Purpose = { key: 1, iv: 2, mac: 3 } as const;

/** Each round is a call into node:crypto, several times as slow as one inside PBKDF2. */
export const COST_OF_ROUND = 3;

/** Sizes of the hashes' output and block, in bytes. */
const sizes = {
  sha1: { digest: 20, block: 64 },
  sha224: { digest: 28, block: 64 },
  sha256: { digest: 32, block: 64 },
  sha384: { digest: 48, block: 128 },
  sha512: { digest: 64, block: 128 },
} as const;

export type LegacyHash = keyof typeof sizes;

/** PKCS#12's own way (RFC 7292 appendix B.2), or that of PKCS#5 before PBKDF2 (RFC 8018 5.1, no longer than a hash). */
export type OldDerivation =
  | {
      readonly kind: 'pkcs12';
      readonly hash: LegacyHash;
      readonly purpose: (typeof Purpose)[keyof typeof Purpose];
      /** UTF-16, high byte first, ending in two zero bytes. */
      readonly passphrase: Buffer;
      readonly salt: Buffer;
      readonly iterations: number;
      readonly length: number;
    }
  | {
      /** `java-des`: MD5 over each half of the salt, the passphrase behind it in every round (Java's JCEKS). */
      readonly kind: 'pbkdf1' | 'java-des';
      readonly hash: 'md5' | 'sha1';
      readonly passphrase: Buffer;
      readonly salt: Buffer;
      readonly iterations: number;
      readonly length: number;
    };

/** Derives the bytes, and stops each time so many rounds are done. */
export function* deriveOld(derivation: OldDerivation, pause: number): Generator<void, Buffer> {
  const { hash, passphrase, salt, iterations, length } = derivation;
  if (derivation.kind !== 'pkcs12') {
    const inputs = derivation.kind === 'pbkdf1' ? [Buffer.concat([passphrase, salt])] : javaHalves(salt);
    const behind = derivation.kind === 'pbkdf1' ? Buffer.alloc(0) : passphrase;
    const parts: Buffer[] = [];
    for (const input of inputs) parts.push(yield* hashRepeatedly(hash, input, iterations, pause, behind));
    return Buffer.concat(parts).subarray(0, length);
  }
  const { digest, block } = sizes[derivation.hash];
  const diversifier = Buffer.alloc(block, derivation.purpose);
  const input = Buffer.concat([repeated(salt, block), repeated(passphrase, block)]);
  const derived: Buffer[] = [];
  for (let have = 0; have < length; have += digest) {
    const piece = yield* hashRepeatedly(hash, Buffer.concat([diversifier, input]), iterations, pause);
    derived.push(piece);
    addToEachBlock(input, repeated(piece, block).subarray(0, block));
  }
  return Buffer.concat(derived).subarray(0, length);
}

/** How many rounds a derivation takes in all. */
export function roundsOf(derivation: OldDerivation): number {
  if (derivation.kind !== 'pkcs12') return derivation.iterations * (derivation.kind === 'pbkdf1' ? 1 : 2);
  return derivation.iterations * Math.ceil(derivation.length / sizes[derivation.hash].digest);
}

/** The length of a hash's output. */
export const digestLength = (hash: LegacyHash): number => sizes[hash].digest;

/** Copies of `bytes` up to a whole number of blocks; nothing stays nothing. */
function repeated(bytes: Buffer, block: number): Buffer {
  const length = Math.ceil(bytes.length / block) * block;
  return length === 0 ? Buffer.alloc(0) : Buffer.alloc(length, bytes);
}

function* hashRepeatedly(
  hash: string,
  input: Buffer,
  rounds: number,
  pause: number,
  /** Stands behind the input of every round. */
  behind: Buffer = Buffer.alloc(0),
): Generator<void, Buffer> {
  const scratch = Buffer.alloc(Math.max(input.length, 64) + behind.length);
  const joined = (first: Buffer): Buffer => {
    if (behind.length === 0) return first;
    behind.copy(scratch, first.copy(scratch));
    return scratch.subarray(0, first.length + behind.length);
  };
  let value = input;
  for (let round = 1; round <= rounds; round += 1) {
    value = hashOnce(hash, joined(value), 'buffer');
    if (round % pause === 0) yield;
  }
  return value;
}

/** Equal halves would give the same bytes twice: Java turns the first around, with a slip that is kept for good. */
function javaHalves(salt: Buffer): readonly [Buffer, Buffer] {
  const [first, second] = [Buffer.from(salt.subarray(0, 4)), salt.subarray(4)];
  if (!first.equals(second)) return [first, second];
  const [one, two, , four] = first as unknown as readonly number[];
  return [Buffer.from([four, one, two, four] as number[]), second];
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
