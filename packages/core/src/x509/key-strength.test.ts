import { describe, expect, it } from 'vitest';
import { keyWeakness, MAX_SENT_RSA_BITS, operationsOf } from './key-strength.js';
import type { PublicKeyInfo } from './public-key.js';
import { ruleSets } from './rules.js';

const rsa = (bits: number, exponentBits = 17): PublicKeyInfo =>
  ({ kind: { type: 'rsa', bits, exponentBits } }) as PublicKeyInfo;
const ec = { kind: { type: 'ec', curve: '1.3.132.0.35' } } as PublicKeyInfo;

describe('the size of RSA keys', () => {
  it.each([
    [2_047, undefined, /2,047 bits; 2,048 is the least/],
    [2_048, undefined, undefined],
    [16_384, undefined, undefined],
    [16_385, undefined, /16,384 is the most/],
    [8_192, MAX_SENT_RSA_BITS, undefined],
    [8_193, MAX_SENT_RSA_BITS, /8,193 bits; 8,192 is the most/],
  ])('of %i bits, at most %s, is judged', (bits, most, expected) => {
    const weakness = keyWeakness(rsa(bits), ruleSets.private, most);
    if (expected === undefined) expect(weakness).toBeUndefined();
    else expect(weakness).toMatch(expected);
  });

  it.each([
    [1, /exponent of 1 bits/],
    [2, undefined],
    [64, undefined],
    [65, /exponent of 65 bits/],
  ])('is judged with an exponent of %i bits', (exponentBits, expected) => {
    const weakness = keyWeakness(rsa(2_048, exponentBits), ruleSets.private);
    if (expected === undefined) expect(weakness).toBeUndefined();
    else expect(weakness).toMatch(expected);
  });
});

describe('the operations of a signature check', () => {
  it.each([
    ['RSA of 2,048 bits', rsa(2_048), 1],
    ['RSA of 4,096 bits with the longest exponent', rsa(4_096, 64), 1],
    ['RSA of 8,192 bits', rsa(8_192), 1],
    ['RSA of 8,192 bits with the longest exponent', rsa(8_192, 64), 4],
    ['RSA of 16,384 bits with the longest exponent', rsa(16_384, 64), 16],
    ['an elliptic curve', ec, 1],
  ])('by %s count %s', (_what, key, operations) => {
    expect(operationsOf(key)).toBe(operations);
  });
});
