/** RC4 (RFC 6229 has its test vectors), which OpenSSL 3 has put away: enough to read what was encrypted with it. */
export function decryptRc4(key: Buffer, encrypted: Buffer): Buffer {
  const state = Uint8Array.from({ length: 256 }, (_, at) => at);
  const swap = (one: number, other: number): void => {
    [state[one], state[other]] = [state[other] as number, state[one] as number];
  };
  for (let at = 0, other = 0; at < 256; at += 1) {
    other = (other + (state[at] as number) + (key[at % key.length] as number)) & 0xff;
    swap(at, other);
  }
  let at = 0;
  let other = 0;
  return Buffer.from(
    encrypted.map((byte) => {
      at = (at + 1) & 0xff;
      other = (other + (state[at] as number)) & 0xff;
      swap(at, other);
      return byte ^ (state[((state[at] as number) + (state[other] as number)) & 0xff] as number);
    }),
  );
}
