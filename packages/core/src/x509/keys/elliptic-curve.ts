/**
 * Elliptic curves and whether bytes are a point on them (SEC 1 2.3.4). OpenSSL leaves the point at infinity and numbers
 * out of range to the next user of the key, and Node 20 and 22 end the process on them.
 */
import { bigIntOf, isSquare, modulo } from './prime-field.js';

/** y² = x³ + ax + b over a prime field; all of these have cofactor 1, so that every point is in the right group. */
export interface EllipticCurve {
  /** The size of a coordinate, in bytes. */
  readonly size: number;
  readonly prime: bigint;
  readonly a: bigint;
  readonly b: bigint;
  /** The order of the group: private numbers are below it. */
  readonly order: bigint;
}

/** The curve by its identifier; undefined for one that isn't known. */
export function curveOf(oid: string): EllipticCurve | undefined {
  return Object.hasOwn(curves, oid) ? curves[oid] : undefined;
}

/** Why bytes are no public key on a curve, as the end of a sentence ("the point …"); undefined where they are one. */
export function pointProblem(curve: EllipticCurve, point: Uint8Array): string | undefined {
  const [form] = point;
  if (form === 0x04) return uncompressedProblem(curve, point.subarray(1));
  if (form === 0x02 || form === 0x03) return compressedProblem(curve, point.subarray(1));
  if (form === 0x00 && point.length === 1) return 'is the one at infinity, which is no public key';
  return 'is in no form that RFC 5480 allows';
}

function uncompressedProblem(
  { size, prime, a, b }: EllipticCurve,
  coordinates: Uint8Array,
): string | undefined {
  if (coordinates.length !== 2 * size)
    return `has ${coordinates.length} bytes of coordinates, of which the curve needs ${2 * size}`;
  const [x, y] = [bigIntOf(coordinates.subarray(0, size)), bigIntOf(coordinates.subarray(size))];
  if (x >= prime || y >= prime) return 'has a coordinate that is out of the field';
  return modulo(y * y - (x * x * x + a * x + b), prime) === 0n ? undefined : "isn't on its curve";
}

function compressedProblem({ size, prime, a, b }: EllipticCurve, coordinate: Uint8Array): string | undefined {
  if (coordinate.length !== size)
    return `has ${coordinate.length} bytes of its one coordinate, of which the curve needs ${size}`;
  const x = bigIntOf(coordinate);
  if (x >= prime) return 'has a coordinate that is out of the field';
  return isSquare(x * x * x + a * x + b, prime) ? undefined : "isn't on its curve";
}

/** The numbers in hex: prime, a, b, order. */
function curve(prime: string, a: string, b: string, order: string): EllipticCurve {
  const [p = 0n, ...rest] = [prime, a, b, order].map((hex) => BigInt(`0x${hex}`));
  const [first = 0n, second = 0n, third = 0n] = rest;
  return { size: Math.ceil(p.toString(2).length / 8), prime: p, a: first, b: second, order: third };
}

/** FIPS 186-4 D.1.2, SEC 2 2.4.1 and RFC 5639 3. */
const curves: Readonly<Record<string, EllipticCurve>> = {
  // P-192
  '1.2.840.10045.3.1.1': curve(
    'fffffffffffffffffffffffffffffffeffffffffffffffff',
    'fffffffffffffffffffffffffffffffefffffffffffffffc',
    '64210519e59c80e70fa7e9ab72243049feb8deecc146b9b1',
    'ffffffffffffffffffffffff99def836146bc9b1b4d22831',
  ),
  // P-224
  '1.3.132.0.33': curve(
    'ffffffffffffffffffffffffffffffff000000000000000000000001',
    'fffffffffffffffffffffffffffffffefffffffffffffffffffffffe',
    'b4050a850c04b3abf54132565044b0b7d7bfd8ba270b39432355ffb4',
    'ffffffffffffffffffffffffffff16a2e0b8f03e13dd29455c5c2a3d',
  ),
  // P-256
  '1.2.840.10045.3.1.7': curve(
    'ffffffff00000001000000000000000000000000ffffffffffffffffffffffff',
    'ffffffff00000001000000000000000000000000fffffffffffffffffffffffc',
    '5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b',
    'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551',
  ),
  // P-384
  '1.3.132.0.34': curve(
    'fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff',
    'fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000fffffffc',
    'b3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef',
    'ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973',
  ),
  // P-521
  '1.3.132.0.35': curve(
    '1ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
    '1fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc',
    '51953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00',
    '1fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409',
  ),
  // secp256k1
  '1.3.132.0.10': curve(
    'fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f',
    '0',
    '7',
    'fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141',
  ),
  // brainpoolP256r1
  '1.3.36.3.3.2.8.1.1.7': curve(
    'a9fb57dba1eea9bc3e660a909d838d726e3bf623d52620282013481d1f6e5377',
    '7d5a0975fc2c3057eef67530417affe7fb8055c126dc5c6ce94a4b44f330b5d9',
    '26dc5c6ce94a4b44f330b5d9bbd77cbf958416295cf7e1ce6bccdc18ff8c07b6',
    'a9fb57dba1eea9bc3e660a909d838d718c397aa3b561a6f7901e0e82974856a7',
  ),
  // brainpoolP384r1
  '1.3.36.3.3.2.8.1.1.11': curve(
    '8cb91e82a3386d280f5d6f7e50e641df152f7109ed5456b412b1da197fb71123acd3a729901d1a71874700133107ec53',
    '7bc382c63d8c150c3c72080ace05afa0c2bea28e4fb22787139165efba91f90f8aa5814a503ad4eb04a8c7dd22ce2826',
    '4a8c7dd22ce28268b39b55416f0447c2fb77de107dcd2a62e880ea53eeb62d57cb4390295dbc9943ab78696fa504c11',
    '8cb91e82a3386d280f5d6f7e50e641df152f7109ed5456b31f166e6cac0425a7cf3ab6af6b7fc3103b883202e9046565',
  ),
  // brainpoolP512r1
  '1.3.36.3.3.2.8.1.1.13': curve(
    'aadd9db8dbe9c48b3fd4e6ae33c9fc07cb308db3b3c9d20ed6639cca703308717d4d9b009bc66842aecda12ae6a380e62881ff2f2d82c68528aa6056583a48f3',
    '7830a3318b603b89e2327145ac234cc594cbdd8d3df91610a83441caea9863bc2ded5d5aa8253aa10a2ef1c98b9ac8b57f1117a72bf2c7b9e7c1ac4d77fc94ca',
    '3df91610a83441caea9863bc2ded5d5aa8253aa10a2ef1c98b9ac8b57f1117a72bf2c7b9e7c1ac4d77fc94cadc083e67984050b75ebae5dd2809bd638016f723',
    'aadd9db8dbe9c48b3fd4e6ae33c9fc07cb308db3b3c9d20ed6639cca70330870553e5c414ca92619418661197fac10471db1d381085ddaddb58796829ca90069',
  ),
};
