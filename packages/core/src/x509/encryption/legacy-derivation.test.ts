import { describe, expect, it } from 'vitest';
import { openAtOnce, openOffThread, type Opening } from './derivation.js';
import { Purpose, type LegacyHash } from './legacy-derivation.js';

// The expected values come from `openssl kdf … PKCS12KDF`.
describe("PKCS#12's own key derivation", () => {
  it.each([
    ['sha1', '9014f80bba199aab80195d6442c88670f763361b9a20d5899b9b612a9d2e27d4e4945e563736eb50'],
    ['sha256', '052f00256c3faf913befbe972b96a837f8dca9a39c6cdef108fe0ec46cba265bb004634a2c7f3ef7'],
    ['sha384', 'e1411d9caf51729feda69e3d316d7b3087723fa174130ff029b0dddd73f419a10969f97b07248ba0'],
    ['sha512', '9d3ed3d0286ad9b5b03061459195deb29bb5bb97783395b7b9bc797e3b4b94ef45482bed901a3712'],
  ] as const)("gives what OpenSSL's gives: %s, over more than one block of output", (hash, expected) => {
    expect(derive(hash, '00730065006300720065007400000000', '0102030405060708', 3, 40)).toBe(expected);
  });

  it('gives the same in turns as at once, however many rounds', async () => {
    const work = () => ask('sha256', '0073006d006500670000', '0a58cf64530d823f', 4_001, 40);
    expect(await openOffThread(work())).toEqual(openAtOnce(work()));
  });

  it('carries over whole blocks, not over bytes alone', () => {
    const expected = '8aaae6297b6cb04642ab5b077851284eb7128f1a2a7fbca3';
    expect(derive('sha1', '0073006d006500670000', '0a58cf64530d823f', 1, 24)).toBe(expected);
  });
});

function derive(hash: LegacyHash, bmp: string, salt: string, iterations: number, length: number): string {
  return openAtOnce(ask(hash, bmp, salt, iterations, length)).toString('hex');
}

function* ask(
  hash: LegacyHash,
  bmp: string,
  salt: string,
  iterations: number,
  length: number,
): Opening<Buffer> {
  const [passphrase, given] = [Buffer.from(bmp, 'hex'), Buffer.from(salt, 'hex')];
  return yield { kind: 'pkcs12', hash, purpose: Purpose.key, passphrase, salt: given, iterations, length };
}
