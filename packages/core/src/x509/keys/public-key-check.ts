/** Whether a public key can be used, decided from its bytes alone: curves, points, lengths and parameters. */
import { hasNullParameters, type AlgorithmIdentifier } from '../algorithm.js';
import { DerReader, Tag } from '../der.js';
import { keyOid } from '../oid.js';
import { readPssParameters } from '../pss-parameters.js';
import { edwardsCurves, edwardsProblem } from './edwards-curve.js';
import { curveOf, pointProblem, type EllipticCurve } from './elliptic-curve.js';
import { bigIntOf } from './prime-field.js';

/** Larger ones only serve to keep the verifier busy; OpenSSL draws the same line. */
const MAX_RSA_BITS = 16_384;
const MAX_DSA_BITS = 10_000;

/** What is wrong with a key, as a sentence; undefined where nothing is. May throw MalformedDerError as well. */
export function publicKeyProblem(algorithm: AlgorithmIdentifier, key: Buffer): string | undefined {
  const check = Object.hasOwn(checks, algorithm.oid) ? checks[algorithm.oid] : undefined;
  return check === undefined
    ? `a key of the unknown algorithm ${algorithm.oid} isn't used here`
    : check(algorithm, key);
}

/** The named curve of an algorithm's parameters, or what is wrong with them. */
export function namedCurveOf({ parameters }: AlgorithmIdentifier): EllipticCurve | string {
  if (parameters === undefined) return 'the elliptic-curve key names no curve';
  if (parameters[0] !== Tag.oid)
    return 'the elliptic-curve key has explicit curve parameters instead of a named curve';
  const oid = new DerReader(parameters).oid('curve');
  return curveOf(oid) ?? `the elliptic-curve key is on the unknown curve ${oid}`;
}

/** The prime, the order and the generator of a DSA key. @throws MalformedDerError */
export function readDsaParameters({ parameters }: AlgorithmIdentifier): Record<'p' | 'q' | 'g', bigint> {
  const reader = new DerReader(parameters ?? Buffer.alloc(0));
  const sequence = reader.enter(Tag.sequence, 'DSA parameters');
  const read = (): bigint => readPositive(sequence, 'DSA parameter');
  const values = { p: read(), q: read(), g: read() };
  sequence.finish('DSA parameters');
  reader.finish('DSA parameters');
  return values;
}

/** An INTEGER above 0. @throws MalformedDerError */
export function readPositive(reader: DerReader, what: string): bigint {
  const content = reader.integer(what);
  const value = bigIntOf(content);
  return (content[0] as number) >= 0x80 || value === 0n ? reader.fail(`${what} isn't positive`) : value;
}

/** Why two numbers make no RSA public key; undefined where they do. */
export function rsaProblem(modulus: bigint, exponent: bigint): string | undefined {
  const bits = bitsOf(modulus);
  if (bits > MAX_RSA_BITS)
    return `the RSA key has ${bits.toLocaleString('en')} bits; ${MAX_RSA_BITS.toLocaleString('en')} is the most`;
  if (modulus % 2n === 0n) return 'the RSA modulus is even';
  return exponent % 2n === 1n && exponent > 1n && exponent < modulus
    ? undefined
    : "the RSA exponent isn't an odd number between 1 and the modulus";
}

/** How many bits a positive number has. */
const bitsOf = (value: bigint): number => value.toString(2).length;

type Check = (algorithm: AlgorithmIdentifier, key: Buffer) => string | undefined;

const checks: Readonly<Record<string, Check>> = {
  [keyOid.rsa]: (algorithm, key) =>
    hasNullParameters(algorithm) ? checkRsa(key) : 'the RSA key has parameters other than NULL',
  [keyOid.rsaPss]: (algorithm, key) => {
    if (algorithm.parameters !== undefined) readPssParameters(algorithm.parameters);
    return checkRsa(key);
  },
  [keyOid.ec]: (algorithm, key) => {
    const curve = namedCurveOf(algorithm);
    return typeof curve === 'string' ? curve : sentence(pointProblem(curve, key));
  },
  [keyOid.ed25519]: bare('Ed25519', (key) => sentence(edwardsProblem(edwardsCurves.ed25519, key))),
  [keyOid.ed448]: bare('Ed448', (key) => sentence(edwardsProblem(edwardsCurves.ed448, key))),
  [keyOid.x25519]: bare('X25519', (key) => lengthProblem(key, 32)),
  [keyOid.x448]: bare('X448', (key) => lengthProblem(key, 56)),
  [keyOid.dsa]: checkDsa,
  [keyOid.mlDsa44]: bare('ML-DSA-44', (key) => lengthProblem(key, 1_312)),
  [keyOid.mlDsa65]: bare('ML-DSA-65', (key) => lengthProblem(key, 1_952)),
  [keyOid.mlDsa87]: bare('ML-DSA-87', (key) => lengthProblem(key, 2_592)),
};

/** Of an algorithm that has no parameters (RFC 8410 3, RFC 9881 2). */
function bare(name: string, check: (key: Buffer) => string | undefined): Check {
  return (algorithm, key) =>
    algorithm.parameters === undefined
      ? check(key)
      : `the ${name} key has parameters, which there are none of`;
}

function checkRsa(key: Buffer): string | undefined {
  const reader = new DerReader(key);
  const sequence = reader.enter(Tag.sequence, 'RSA key');
  const [modulus, exponent] = [readPositive(sequence, 'RSA modulus'), readPositive(sequence, 'RSA exponent')];
  sequence.finish('RSA key');
  reader.finish('RSA key');
  return rsaProblem(modulus, exponent);
}

function checkDsa(algorithm: AlgorithmIdentifier, key: Buffer): string | undefined {
  const { p, q, g } = readDsaParameters(algorithm);
  const reader = new DerReader(key);
  const y = readPositive(reader, 'DSA key');
  reader.finish('DSA key');
  const isSane = bitsOf(p) <= MAX_DSA_BITS && q < p && g > 1n && g < p && y > 1n && y < p;
  return isSane ? undefined : 'the DSA key has numbers out of range';
}

function lengthProblem(key: Buffer, bytes: number): string | undefined {
  return key.length === bytes
    ? undefined
    : `the key has ${key.length.toLocaleString('en')} bytes instead of ${bytes.toLocaleString('en')}`;
}

const sentence = (problem: string | undefined): string | undefined =>
  problem === undefined ? undefined : `the point of the public key ${problem}`;
