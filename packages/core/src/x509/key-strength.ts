import { curveNames } from './oid.js';
import type { PublicKeyInfo } from './public-key.js';
import type { RuleSet } from './rules.js';

const MIN_RSA_BITS = 2048;
/** Larger keys and exponents only serve to keep the verifier busy; OpenSSL draws the same lines. */
const MAX_RSA_BITS = 16_384;
const MAX_EXPONENT_BITS = 64;
/**
 * For keys that a peer sends: nobody's CA has a larger one, and a signature by one of 16,384 bits and a long exponent
 * takes 6.5 ms to check, four times as long.
 */
export const MAX_SENT_RSA_BITS = 8_192;
/** What a signature that counts as one operation is checked by at the most: some 0.5 ms, like P-521. */
const OPERATION = { bits: 8_192, exponentBits: 17 };

/**
 * What is wrong with a key, as a part of a sentence ("has …"); undefined where it is acceptable.
 * @param maxRsaBits default 16,384
 */
export function keyWeakness(
  { kind, algorithm }: PublicKeyInfo,
  rules: RuleSet,
  maxRsaBits = MAX_RSA_BITS,
): string | undefined {
  switch (kind.type) {
    case 'rsa':
    case 'rsa-pss':
      return rsaWeakness(kind.bits, kind.exponentBits, rules, maxRsaBits) ?? kindWeakness(kind.type, rules);
    case 'ec':
      if (kind.curve === undefined)
        return 'an elliptic-curve key with explicit parameters instead of a named curve';
      return kindWeakness(curveNames[kind.curve] ?? `curve ${kind.curve}`, rules);
    case 'unknown':
      return `a key of the unknown algorithm ${algorithm.oid}`;
    default:
      return kindWeakness(kind.type, rules);
  }
}

/** How many operations the check of one signature by this key counts for, in a budget of them. */
export function operationsOf({ kind }: PublicKeyInfo): number {
  if (kind.type !== 'rsa' && kind.type !== 'rsa-pss') return 1;
  return Math.max(
    1,
    Math.ceil((kind.bits / OPERATION.bits) ** 2 * (kind.exponentBits / OPERATION.exponentBits)),
  );
}

function rsaWeakness(
  bits: number,
  exponentBits: number,
  rules: RuleSet,
  maxBits: number,
): string | undefined {
  const size = `an RSA key of ${bits.toLocaleString('en')} bits`;
  if (bits < MIN_RSA_BITS) return `${size}; ${MIN_RSA_BITS.toLocaleString('en')} is the least`;
  if (bits > maxBits) return `${size}; ${maxBits.toLocaleString('en')} is the most`;
  if (exponentBits < 2 || exponentBits > MAX_EXPONENT_BITS)
    return `an RSA key with an exponent of ${exponentBits} bits`;
  if (rules.formalities && bits % 8 !== 0) return `${size}, which isn't a whole number of bytes`;
  return undefined;
}

function kindWeakness(kind: string, rules: RuleSet): string | undefined {
  return rules.keys.has(kind)
    ? undefined
    : `a key of kind ${kind}, which the ${rules.name} rules don't accept`;
}
