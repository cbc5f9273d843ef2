/** Whether bytes are a public key of Ed25519 or Ed448 (RFC 8032 5.1.3 and 5.2.3). */
import { bigIntOf, isSquare, modulo } from './prime-field.js';

interface EdwardsCurve {
  readonly prime: bigint;
  /** x² · (d·y² − a) = y² − 1, where a is −1 for Ed25519 and 1 for Ed448. */
  readonly a: bigint;
  readonly d: bigint;
  readonly bytes: number;
}

const prime25519 = 2n ** 255n - 19n;

export const edwardsCurves = {
  ed25519: {
    prime: prime25519,
    a: -1n,
    d: 0x52036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3n,
    bytes: 32,
  },
  ed448: { prime: 2n ** 448n - 2n ** 224n - 1n, a: 1n, d: -39081n, bytes: 57 },
} as const satisfies Record<string, EdwardsCurve>;

/** Why bytes are no point, as the end of a sentence ("the point …"); undefined where they are one. */
export function edwardsProblem({ prime, a, d, bytes }: EdwardsCurve, point: Uint8Array): string | undefined {
  if (point.length !== bytes) return `has ${point.length} bytes instead of ${bytes}`;
  const littleEndian = Buffer.from(point).reverse();
  // The highest bit is the sign of x.
  littleEndian[0] = (littleEndian[0] as number) & 0x7f;
  const y = bigIntOf(littleEndian);
  if (y >= prime) return 'has a coordinate that is out of the field';
  const [numerator, denominator] = [modulo(y * y - 1n, prime), modulo(d * y * y - a, prime)];
  // A quotient has a root where the product has one.
  return isSquare(numerator * denominator, prime) ? undefined : "isn't on its curve";
}
