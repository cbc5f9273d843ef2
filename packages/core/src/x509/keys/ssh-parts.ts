/** What OpenSSH's and PuTTY's key files are made of (RFC 4251 5, RFC 4253 6.6, RFC 5656 3.1). */
import type { KeyObject } from 'node:crypto';
import { ByteReader } from '../formats/byte-reader.js';
import { malformed } from '../encryption/problem.js';
import { ecKey, rsaKey } from './key-numbers.js';

const curves: Readonly<Record<string, readonly [name: string, bytes: number]>> = {
  nistp256: ['P-256', 32],
  nistp384: ['P-384', 48],
  nistp521: ['P-521', 66],
};

interface SshRsaNumbers {
  readonly n: Buffer;
  readonly e: Buffer;
  readonly d: Buffer;
  readonly p: Buffer;
  readonly q: Buffer;
  /** The inverse of q modulo p. */
  readonly qi: Buffer;
}

/** @throws FileProblem 'malformed' */
export function sshRsaKey({ n, e, d, p, q, qi }: SshRsaNumbers): KeyObject {
  const [whole, one, other] = [d, p, q].map(toBigInt) as [bigint, bigint, bigint];
  if (one < 2n || other < 2n) throw malformed('is an SSH key without its primes');
  const [dp, dq] = [whole % (one - 1n), whole % (other - 1n)].map(fromBigInt) as [Buffer, Buffer];
  return rsaKey({ n, e, d, p, q, dp, dq, qi });
}

/** @throws FileProblem 'malformed' */
export function sshEcKey(curveName: string, point: Buffer, d: Buffer): KeyObject {
  const curve = curves[curveName];
  if (curve === undefined || point.length !== 1 + 2 * curve[1] || point[0] !== 4)
    throw malformed('is an SSH key with a damaged point');
  const [name, bytes] = curve;
  return ecKey(name, d, point.subarray(1, 1 + bytes), point.subarray(1 + bytes));
}

/** Strings with their length in four bytes before them. */
export class SshReader extends ByteReader {
  constructor(bytes: Buffer) {
    super(bytes, 'is an SSH key cut short');
  }

  string(): Buffer {
    return this.fixed(this.number());
  }

  text(): string {
    return this.string().toString('latin1');
  }

  /** A positive number without the zero byte before it. */
  integer(): Buffer {
    const bytes = this.string();
    return bytes[0] === 0 ? bytes.subarray(1) : bytes;
  }
}

/** A string as `SshReader` reads it. */
export function sshString(content: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.length);
  return Buffer.concat([length, content]);
}

const toBigInt = (bytes: Buffer): bigint => BigInt(`0x${bytes.toString('hex') || '0'}`);

function fromBigInt(value: bigint): Buffer {
  const hex = value.toString(16);
  return Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex');
}
