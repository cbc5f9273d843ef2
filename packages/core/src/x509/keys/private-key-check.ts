/** Whether a private key can be used, decided from its bytes alone. */
import type { AlgorithmIdentifier } from '../algorithm.js';
import { contextTag, DerReader, Tag } from '../der.js';
import { keyOid } from '../oid.js';
import { edwardsCurves } from './edwards-curve.js';
import { pointProblem, type EllipticCurve } from './elliptic-curve.js';
import { bigIntOf } from './prime-field.js';
import {
  namedCurveOf,
  publicKeyProblem,
  readDsaParameters,
  readPositive,
  rsaProblem,
} from './public-key-check.js';

/**
 * What is wrong with the key inside PrivateKeyInfo (RFC 5958 2), as a sentence; undefined where nothing is. May throw
 * MalformedDerError as well.
 */
export function privateKeyProblem(algorithm: AlgorithmIdentifier, key: Buffer): string | undefined {
  const check = Object.hasOwn(checks, algorithm.oid) ? checks[algorithm.oid] : undefined;
  return check === undefined
    ? `a key of the unknown algorithm ${algorithm.oid} isn't used here`
    : check(algorithm, key);
}

type Check = (algorithm: AlgorithmIdentifier, key: Buffer) => string | undefined;

const checks: Readonly<Record<string, Check>> = {
  [keyOid.rsa]: (_algorithm, key) => rsaPrivateProblem(key),
  [keyOid.rsaPss]: (_algorithm, key) => rsaPrivateProblem(key),
  [keyOid.ec]: (algorithm, key) => {
    const curve = namedCurveOf(algorithm);
    return typeof curve === 'string' ? curve : ecPrivateProblem(key, curve, algorithm);
  },
  [keyOid.ed25519]: (algorithm, key) => seedProblem(algorithm, key, edwardsCurves.ed25519.bytes),
  [keyOid.ed448]: (algorithm, key) => seedProblem(algorithm, key, edwardsCurves.ed448.bytes),
  [keyOid.x25519]: (algorithm, key) => seedProblem(algorithm, key, 32),
  [keyOid.x448]: (algorithm, key) => seedProblem(algorithm, key, 56),
  [keyOid.dsa]: dsaPrivateProblem,
  [keyOid.mlDsa44]: (algorithm, key) => mlDsaProblem(algorithm, key, 2_560),
  [keyOid.mlDsa65]: (algorithm, key) => mlDsaProblem(algorithm, key, 4_032),
  [keyOid.mlDsa87]: (algorithm, key) => mlDsaProblem(algorithm, key, 4_896),
};

/** RSAPrivateKey (RFC 8017 A.1.2): two primes whose numbers fit together. */
function rsaPrivateProblem(key: Buffer): string | undefined {
  const reader = new DerReader(key);
  const sequence = reader.enter(Tag.sequence, 'RSA private key');
  reader.finish('RSA private key');
  if (sequence.smallInteger(1, 'version of the RSA private key') !== 0)
    return 'the RSA key has more than two primes';
  const next = (what: string): bigint => readPositive(sequence, `RSA ${what}`);
  const [n, e, d] = [next('modulus'), next('exponent'), next('private exponent')];
  const [p, q] = [next('prime'), next('prime')];
  const [dp, dq, inverse] = [next('exponent'), next('exponent'), next('coefficient')];
  sequence.finish('RSA private key');
  // Before anything is computed with them: what takes longest grows with the modulus.
  const problem = rsaProblem(n, e);
  if (problem !== undefined) return problem;
  const isWhole =
    d < n &&
    p > 1n &&
    q > 1n &&
    n === p * q &&
    dp === d % (p - 1n) &&
    dq === d % (q - 1n) &&
    (e * d) % (p - 1n) === 1n &&
    (e * d) % (q - 1n) === 1n &&
    (q * inverse) % p === 1n;
  return isWhole ? undefined : "the numbers of the RSA private key don't fit together";
}

/** ECPrivateKey (RFC 5915 3). */
function ecPrivateProblem(
  key: Buffer,
  curve: EllipticCurve,
  algorithm: AlgorithmIdentifier,
): string | undefined {
  const { secret, parameters, point } = readEcPrivateKey(key);
  const number = bigIntOf(secret);
  // Some programs write a zero before, or leave zeros out.
  if (secret.length > curve.size + 1 || number === 0n || number >= curve.order)
    return "the private number is out of its curve's range";
  if (parameters !== undefined && algorithm.parameters?.equals(parameters) === false)
    return 'the private key names two curves';
  const problem = point === undefined ? undefined : pointProblem(curve, point);
  return problem === undefined ? undefined : `the point of the private key's public half ${problem}`;
}

/** @throws MalformedDerError */
export function readEcPrivateKey(key: Buffer): {
  readonly secret: Buffer;
  readonly parameters: Buffer | undefined;
  readonly point: Buffer | undefined;
} {
  const what = 'elliptic-curve private key';
  const reader = new DerReader(key);
  const sequence = reader.enter(Tag.sequence, what);
  reader.finish(what);
  if (sequence.smallInteger(1, `version of the ${what}`) !== 1) sequence.fail(`${what} has the version 0`);
  const secret = sequence.content(Tag.octetString, 'private number');
  const parameters = readTagged(sequence, 0, (inner) => inner.element('curve'));
  const point = readTagged(sequence, 1, (inner) => inner.octetsAsBits('public key bits'));
  sequence.finish(what);
  return { secret, parameters, point };
}

function readTagged<T>(reader: DerReader, number: number, read: (inner: DerReader) => T): T | undefined {
  const tag = contextTag(number, 'constructed');
  if (!reader.has(tag)) return undefined;
  const inner = reader.enter(tag, 'private key');
  const value = read(inner);
  inner.finish('private key');
  return value;
}

/** CurvePrivateKey (RFC 8410 7): bytes of one length, every value of which is a key. */
function seedProblem({ parameters }: AlgorithmIdentifier, key: Buffer, bytes: number): string | undefined {
  if (parameters !== undefined) return 'the private key has parameters, which its algorithm has none of';
  const reader = new DerReader(key);
  const seed = reader.content(Tag.octetString, 'private key');
  reader.finish('private key');
  return seed.length === bytes ? undefined : `the private key has ${seed.length} bytes instead of ${bytes}`;
}

function dsaPrivateProblem(algorithm: AlgorithmIdentifier, key: Buffer): string | undefined {
  const { q } = readDsaParameters(algorithm);
  const reader = new DerReader(key);
  const x = readPositive(reader, 'DSA private key');
  reader.finish('DSA private key');
  // Any public key at all, for the parameters' own sake.
  return x < q
    ? publicKeyProblem(algorithm, Buffer.of(0x02, 0x01, 0x02))
    : 'the DSA private key is out of range';
}

/** A seed, the expanded key, or both (RFC 9881 6). */
function mlDsaProblem({ parameters }: AlgorithmIdentifier, key: Buffer, bytes: number): string | undefined {
  if (parameters !== undefined) return 'the private key has parameters, which its algorithm has none of';
  const reader = new DerReader(key);
  const isBoth = reader.has(Tag.sequence);
  const parts = isBoth ? reader.enter(Tag.sequence, 'private key') : reader;
  const seedTag = contextTag(0, 'primitive');
  const hasSeed = isBoth || parts.has(seedTag);
  const seed = hasSeed ? parts.content(isBoth ? Tag.octetString : seedTag, 'seed') : undefined;
  const expanded = isBoth || !hasSeed ? parts.content(Tag.octetString, 'private key') : undefined;
  parts.finish('private key');
  reader.finish('private key');
  const isSane = (seed?.length ?? 32) === 32 && (expanded?.length ?? bytes) === bytes;
  return isSane ? undefined : 'the ML-DSA private key has a part of another length than it should';
}
