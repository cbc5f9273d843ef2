/** Arithmetic modulo an odd prime, for checking public values; nothing secret is computed with it. */

export const bigIntOf = (bytes: Uint8Array): bigint =>
  bytes.length === 0 ? 0n : BigInt(`0x${Buffer.from(bytes).toString('hex')}`);

export function modulo(value: bigint, prime: bigint): bigint {
  const rest = value % prime;
  return rest < 0n ? rest + prime : rest;
}

/** Whether a value has a square root (Euler's criterion); 0 has one. */
export function isSquare(value: bigint, prime: bigint): boolean {
  const rest = modulo(value, prime);
  return rest === 0n || power(rest, (prime - 1n) / 2n, prime) === 1n;
}

function power(base: bigint, exponent: bigint, prime: bigint): bigint {
  let result = 1n;
  let square = base;
  for (let left = exponent; left > 0n; left >>= 1n) {
    if ((left & 1n) === 1n) result = (result * square) % prime;
    square = (square * square) % prime;
  }
  return result;
}
