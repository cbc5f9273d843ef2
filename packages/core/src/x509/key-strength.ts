import { curveNames } from './oid.js';
import type { PublicKeyInfo } from './public-key.js';
import type { RuleSet } from './rules.js';

const MIN_RSA_BITS = 2048;
/** Larger keys and exponents only serve to keep the verifier busy; OpenSSL draws the same lines. */
const MAX_RSA_BITS = 16_384;
const MAX_EXPONENT_BITS = 64;

/** What is wrong with a key, as a part of a sentence ("has …"); undefined where it is acceptable. */
export function keyWeakness({ kind, algorithm }: PublicKeyInfo, rules: RuleSet): string | undefined {
  switch (kind.type) {
    case 'rsa':
    case 'rsa-pss':
      return rsaWeakness(kind.bits, kind.exponentBits, rules) ?? kindWeakness(kind.type, rules);
    case 'ec':
      if (kind.curve === undefined)
        return 'an elliptic-curve key with a curve of its own instead of a named one';
      return kindWeakness(curveNames[kind.curve] ?? `curve ${kind.curve}`, rules);
    case 'unknown':
      return `a key of the unknown algorithm ${algorithm.oid}`;
    default:
      return kindWeakness(kind.type, rules);
  }
}

function rsaWeakness(bits: number, exponentBits: number, rules: RuleSet): string | undefined {
  const size = `an RSA key of ${bits.toLocaleString('en')} bits`;
  if (bits < MIN_RSA_BITS) return `${size}; ${MIN_RSA_BITS.toLocaleString('en')} is the least`;
  if (bits > MAX_RSA_BITS) return `${size}; ${MAX_RSA_BITS.toLocaleString('en')} is the most`;
  if (exponentBits < 2 || exponentBits > MAX_EXPONENT_BITS)
    return `an RSA key with an exponent of ${exponentBits} bits`;
  if (rules.formalities && bits % 8 !== 0) return `${size}, which isn’t a whole number of bytes`;
  return undefined;
}

function kindWeakness(kind: string, rules: RuleSet): string | undefined {
  return rules.keys.has(kind)
    ? undefined
    : `a key of kind ${kind}, which the ${rules.name} rules don’t accept`;
}
