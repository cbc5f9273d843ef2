/** Key derivation of PKCS#12 (RFC 7292 appendix B): old, and still what its MAC is made with. */
import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';

/** What the derived bytes are for. */
export const KDF_KEY = 1;
export const KDF_IV = 2;
export const KDF_MAC = 3;

/** A few milliseconds of work. */
const ROUNDS_A_TURN = 2_000;

/** Block and digest sizes in bytes. */
const sizes: Record<string, { readonly block: number; readonly digest: number }> = {
  sha1: { block: 64, digest: 20 },
  sha256: { block: 64, digest: 32 },
  sha384: { block: 128, digest: 48 },
  sha512: { block: 128, digest: 64 },
};

/** Derives `length` bytes from a passphrase; others have their turn meanwhile, since it may take seconds. */
export async function pkcs12Key(
  hash: 'sha1' | 'sha256' | 'sha384' | 'sha512',
  purpose: typeof KDF_KEY | typeof KDF_IV | typeof KDF_MAC,
  passphrase: string,
  salt: Uint8Array,
  iterations: number,
  length: number,
): Promise<Buffer> {
  const { block, digest } = sizes[hash] ?? { block: 64, digest: 20 };
  const diversifier = Buffer.alloc(block, purpose);
  let input = Buffer.concat([stretch(salt, block), stretch(bigEndianText(passphrase), block)]);
  const out: Buffer[] = [];
  for (let have = 0; have < length; have += digest) {
    const part = await hashRepeatedly(hash, Buffer.concat([diversifier, input]), iterations);
    out.push(part);
    input = addToBlocks(input, stretch(part, block), block);
  }
  return Buffer.concat(out).subarray(0, length);
}

async function hashRepeatedly(hash: string, data: Buffer, iterations: number): Promise<Buffer> {
  let value = data;
  for (let round = 0; round < iterations; round += 1) {
    if (round % ROUNDS_A_TURN === ROUNDS_A_TURN - 1) await setImmediate();
    value = createHash(hash).update(value).digest();
  }
  return value;
}

/** Repeats bytes until they fill whole blocks. */
function stretch(bytes: Uint8Array, block: number): Buffer {
  const length = Math.ceil(bytes.length / block) * block;
  return Buffer.from(Array.from({ length }, (_, index) => bytes[index % bytes.length] ?? 0));
}

/** Each block, as a number, plus `addend` plus one. */
function addToBlocks(input: Buffer, addend: Buffer, block: number): Buffer<ArrayBuffer> {
  const result = Buffer.from(input);
  for (let start = 0; start < result.length; start += block) {
    let carry = 1;
    for (let index = block - 1; index >= 0; index -= 1) {
      const sum = (result[start + index] ?? 0) + (addend[index] ?? 0) + carry;
      result[start + index] = sum & 0xff;
      carry = sum >> 8;
    }
  }
  return result;
}

/** UTF-16, high byte first, with two zero bytes at the end. */
function bigEndianText(text: string): Buffer {
  return Buffer.from(`${text}\0`, 'utf16le').swap16();
}
