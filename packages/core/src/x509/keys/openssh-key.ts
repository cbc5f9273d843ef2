import type { KeyObject } from 'node:crypto';
import { garbage, unsupported } from '../encryption/problem.js';
import { ecKey, edwardsKey, rsaKey } from './key-numbers.js';

const MAGIC = 'openssh-key-v1\0';
const WITHOUT_PASSPHRASE = 'Make a copy without it, and give that: ssh-keygen -p -N "" -f COPY.';
const curves: Readonly<Record<string, readonly [name: string, bytes: number]>> = {
  nistp256: ['P-256', 32],
  nistp384: ['P-384', 48],
  nistp521: ['P-521', 66],
};

/** Reads OpenSSH's format (PROTOCOL.key) without a passphrase: RSA, ECDSA and Ed25519. @throws FileProblem */
export function readOpenSshKey(bytes: Buffer): KeyObject {
  const reader = new SshReader(bytes);
  if (reader.fixed(MAGIC.length).toString('latin1') !== MAGIC)
    throw garbage('isn’t in OpenSSH’s format, as it says');
  const cipher = reader.text();
  reader.string();
  reader.string();
  if (cipher !== 'none')
    throw unsupported('is an OpenSSH key with a passphrase, which only OpenSSH opens', {
      hint: WITHOUT_PASSPHRASE,
    });
  if (reader.number() !== 1) throw garbage('holds several OpenSSH keys');
  reader.string();
  const inner = new SshReader(reader.string());
  if (inner.number() !== inner.number()) throw garbage('is an OpenSSH key whose check numbers differ');
  return readKey(inner);
}

function readKey(inner: SshReader): KeyObject {
  const type = inner.text();
  switch (type) {
    case 'ssh-ed25519': {
      inner.string();
      return edwardsKey('Ed25519', inner.string().subarray(0, 32));
    }
    case 'ssh-rsa':
      return readRsa(inner);
    case 'ecdsa-sha2-nistp256':
    case 'ecdsa-sha2-nistp384':
    case 'ecdsa-sha2-nistp521':
      return readEcdsa(inner);
    default:
      throw unsupported(`is an OpenSSH key of the kind ${type}, which TLS doesn’t use`);
  }
}

function readRsa(inner: SshReader): KeyObject {
  const [n, e, d, qi, p, q] = Array.from({ length: 6 }, () => inner.integer()) as [
    Buffer,
    Buffer,
    Buffer,
    Buffer,
    Buffer,
    Buffer,
  ];
  const [whole, one, other] = [d, p, q].map(toBigInt) as [bigint, bigint, bigint];
  if (one < 2n || other < 2n) throw garbage('is an OpenSSH key without its primes');
  const [dp, dq] = [whole % (one - 1n), whole % (other - 1n)].map(fromBigInt) as [Buffer, Buffer];
  return rsaKey({ n, e, d, p, q, dp, dq, qi });
}

function readEcdsa(inner: SshReader): KeyObject {
  const curve = curves[inner.text()];
  const point = inner.string();
  const d = inner.integer();
  if (curve === undefined || point.length !== 1 + 2 * curve[1] || point[0] !== 4)
    throw garbage('is an OpenSSH key with a damaged point');
  const [name, bytes] = curve;
  return ecKey(name, d, point.subarray(1, 1 + bytes), point.subarray(1 + bytes));
}

/** RFC 4251 5: strings with their length in four bytes before them. */
class SshReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  fixed(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw garbage('is an OpenSSH key cut short');
    const part = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return part;
  }

  number(): number {
    return this.fixed(4).readUInt32BE();
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

const toBigInt = (bytes: Buffer): bigint => BigInt(`0x${bytes.toString('hex') || '0'}`);

function fromBigInt(value: bigint): Buffer {
  const hex = value.toString(16);
  return Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex');
}
