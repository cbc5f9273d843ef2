/** Content, algorithm and signature: the structure of certificates, lists and requests (RFC 5280 §4.1.1). */
import { algorithmIdentifier } from '../keys/signature.js';
import type { SigningKey } from '../keys/signer.js';
import type { X509Library } from '../x509.js';

const SEQUENCE = 0x30;
const BIT_STRING = 0x03;

/** Signs a structure; assembled from the bytes that were signed, so that they aren't encoded twice. */
export async function signStructure(
  library: X509Library,
  toBeSigned: unknown,
  key: SigningKey,
  signal?: AbortSignal,
): Promise<Buffer> {
  const body = library.encode(toBeSigned);
  const algorithm = library.encode(algorithmIdentifier(library, key.algorithm));
  // No unused bits in the last byte.
  const signature = element(BIT_STRING, Buffer.alloc(1), await key.sign(body, signal));
  return element(SEQUENCE, body, algorithm, signature);
}

/** One DER element (X.690 §8.1, §10.1). */
function element(tag: number, ...contents: readonly Buffer[]): Buffer {
  const length = contents.reduce((sum, { length: bytes }) => sum + bytes, 0);
  return Buffer.concat([Buffer.from([tag, ...lengthBytes(length)]), ...contents]);
}

function lengthBytes(length: number): number[] {
  if (length < 0x80) return [length];
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return [0x80 | bytes.length, ...bytes];
}
