import { describe, expect, it } from 'vitest';
import { decryptRc2 } from './rc2.js';

const hex = (text: string) => Buffer.from(text, 'hex');

/** One block whose plain text, after CBC with this IV, is a whole block of padding. */
const decryptBlock = (key: string, bits: number, cipher: string, plain: string) => {
  const iv = hex(plain).map((byte) => byte ^ 8);
  return decryptRc2(hex(key), bits, iv, hex(cipher));
};

describe('RC2', () => {
  // The test vectors of RFC 2268 §5.
  it.each([
    ['0000000000000000', 63, '0000000000000000', 'ebb773f993278eff'],
    ['ffffffffffffffff', 64, 'ffffffffffffffff', '278b27e42e2f0d49'],
    ['3000000000000000', 64, '1000000000000001', '30649edf9be7d2c2'],
    ['88', 64, '0000000000000000', '61a8a244adacccf0'],
    ['88bca90e90875a', 64, '0000000000000000', '6ccf4308974c267f'],
    ['88bca90e90875a7f0f79c384627bafb2', 64, '0000000000000000', '1a807d272bbe5db1'],
    ['88bca90e90875a7f0f79c384627bafb2', 128, '0000000000000000', '2269552ab0f85ca6'],
  ])('decrypts with the key %s of %i bits', (key, bits, plain, cipher) => {
    expect(decryptBlock(key, bits, cipher, plain)).toEqual(Buffer.alloc(0));
    expect(decryptBlock(key, bits - 8, cipher, plain)).toBeUndefined();
  });

  it("refuses data that isn't whole blocks", () => {
    expect(decryptRc2(hex('88'), 64, Buffer.alloc(8), Buffer.alloc(9))).toBeUndefined();
    expect(decryptRc2(hex('88'), 64, Buffer.alloc(8), Buffer.alloc(0))).toBeUndefined();
  });
});
