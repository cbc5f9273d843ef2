import type { KeyObject } from 'node:crypto';
import { hasNullParameters, readAlgorithm, type AlgorithmIdentifier } from './algorithm.js';
import { DerReader, Tag } from './der.js';
import { openPublicKey } from './keys/open-key.js';
import { keyOid } from './oid.js';

/** What a public key is, read without touching any cryptography. */
export type KeyKind =
  | { readonly type: 'rsa' | 'rsa-pss'; readonly bits: number; readonly exponentBits: number }
  | {
      readonly type: 'ec';
      /** The curve's identifier; undefined where its parameters are spelled out. */ readonly curve:
        string | undefined;
    }
  | { readonly type: 'ed25519' | 'ed448' | 'dsa' }
  | { readonly type: 'ml-dsa-44' | 'ml-dsa-65' | 'ml-dsa-87' }
  | { readonly type: 'unknown' };

/** A SubjectPublicKeyInfo (RFC 5280 4.1.2.7). */
export interface PublicKeyInfo {
  /** The whole SubjectPublicKeyInfo. */
  readonly der: Buffer;
  /** The key's algorithm and its parameters. */
  readonly algorithm: AlgorithmIdentifier;
  /** The kind of key. */
  readonly kind: KeyKind;
}

export function readPublicKeyInfo(reader: DerReader): PublicKeyInfo {
  const start = reader.position;
  const sequence = reader.enter(Tag.sequence, 'public key');
  const algorithm = readAlgorithm(sequence, 'public key algorithm');
  const key = sequence.octetsAsBits('public key bits');
  sequence.finish('public key');
  return { der: reader.bytes.subarray(start, reader.position), algorithm, kind: keyKind(algorithm, key) };
}

/**
 * The key as node:crypto takes it.
 * @throws MalformedDerError where it can't be used
 */
export function toKeyObject(info: PublicKeyInfo): KeyObject {
  return openPublicKey(info.der);
}

const plainKinds: Readonly<Record<string, KeyKind>> = {
  [keyOid.ed25519]: { type: 'ed25519' },
  [keyOid.ed448]: { type: 'ed448' },
  [keyOid.dsa]: { type: 'dsa' },
  [keyOid.mlDsa44]: { type: 'ml-dsa-44' },
  [keyOid.mlDsa65]: { type: 'ml-dsa-65' },
  [keyOid.mlDsa87]: { type: 'ml-dsa-87' },
};

function keyKind(algorithm: AlgorithmIdentifier, key: Buffer): KeyKind {
  switch (algorithm.oid) {
    case keyOid.rsa:
      if (!hasNullParameters(algorithm)) return { type: 'unknown' };
      return { type: 'rsa', ...readRsaSizes(key) };
    case keyOid.rsaPss:
      return { type: 'rsa-pss', ...readRsaSizes(key) };
    case keyOid.ec:
      return { type: 'ec', curve: namedCurve(algorithm) };
    default:
      return plainKinds[algorithm.oid] ?? { type: 'unknown' };
  }
}

function namedCurve({ parameters }: AlgorithmIdentifier): string | undefined {
  if (parameters?.[0] !== Tag.oid) return undefined;
  return new DerReader(parameters).oid('curve');
}

function readRsaSizes(key: Buffer): { bits: number; exponentBits: number } {
  const reader = new DerReader(key);
  const sequence = reader.enter(Tag.sequence, 'RSA key');
  const bits = bitLength(sequence.integer('RSA modulus'));
  const exponentBits = bitLength(sequence.integer('RSA exponent'));
  sequence.finish('RSA key');
  reader.finish('RSA key');
  return { bits, exponentBits };
}

/** Of a positive integer; a negative one has none worth counting. */
function bitLength(integer: Buffer): number {
  const first = integer[0] as number;
  if (first >= 0x80) return 0;
  return first === 0 ? (integer.length - 1) * 8 : (integer.length - 1) * 8 + (32 - Math.clz32(first));
}
