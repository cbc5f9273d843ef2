/**
 * RC2 decryption in CBC mode (RFC 2268): only to read old PKCS#12 files, which Windows and Java still write.
 * OpenSSL 3, and Node with it, has put RC2 away.
 */
const PI = Buffer.from(
  'd978f9c419ddb5ed28e9fd794aa0d89dc67e37832b76538e624c6488448bfba2' +
    '179a59f587b34f1361456d8d09817d32bd8f40eb86b77b0bf09521225c6b4e82' +
    '54d66593ce60b21c7356c014a78cf1dc1275ca1f3bbee4d1423dd430a33cb626' +
    '6fbf0eda4669075727f21d9bbc944303f811c7f690ef3ee706c3d52fc8661ed7' +
    '08e8eade8052eef784aa72ac354d6a2a961ad2715a1549744b9fd05e0418a4ec' +
    'c2e0416e0f51cbcc2491af50a1f47039997c3a8523b8b47afc02365b25559731' +
    '2d5dfa98e38a92ae05df2910676cbac9d300e6cfe19ea82c6316013f58e289a9' +
    '0d38341bab33ffb0bb480c5fb9b1cd2ec5f3db47e5a59c770aa62068fe7fc1ad',
  'hex',
);
const ROTATIONS = [1, 2, 3, 5];
const BLOCK = 8;

/**
 * Decrypts and takes the padding off.
 * @param effectiveBits How many bits of the key count.
 * @returns undefined where the padding is wrong: the key is.
 */
export function decryptRc2(
  key: Uint8Array,
  effectiveBits: number,
  iv: Uint8Array,
  data: Uint8Array,
): Buffer | undefined {
  if (data.length === 0 || data.length % BLOCK !== 0) return undefined;
  const words = expandKey(key, effectiveBits);
  const out = Buffer.alloc(data.length);
  let previous = iv;
  for (let at = 0; at < data.length; at += BLOCK) {
    const block = data.subarray(at, at + BLOCK);
    const plain = decryptBlock(words, block);
    for (let index = 0; index < BLOCK; index += 1)
      out[at + index] = (plain[index] ?? 0) ^ (previous[index] ?? 0);
    previous = block;
  }
  return withoutPadding(out);
}

/** The 64 words of the key schedule (RFC 2268 §2). */
function expandKey(key: Uint8Array, effectiveBits: number): Uint16Array {
  const bytes = Buffer.alloc(128);
  bytes.set(key);
  for (let index = key.length; index < 128; index += 1) {
    bytes[index] = pi((bytes[index - 1] ?? 0) + (bytes[index - key.length] ?? 0));
  }
  const effectiveBytes = Math.ceil(effectiveBits / 8);
  const start = 128 - effectiveBytes;
  bytes[start] = pi((bytes[start] ?? 0) & (0xff >> (8 * effectiveBytes - effectiveBits)));
  for (let index = start - 1; index >= 0; index -= 1) {
    bytes[index] = pi((bytes[index + 1] ?? 0) ^ (bytes[index + effectiveBytes] ?? 0));
  }
  return Uint16Array.from({ length: 64 }, (_, index) => bytes.readUInt16LE(index * 2));
}

/** 16 mixing rounds backwards, with mashing after the fifth and the eleventh (RFC 2268 §4). */
function decryptBlock(words: Uint16Array, block: Uint8Array): Buffer {
  const view = Buffer.from(block);
  const r = Uint16Array.from({ length: 4 }, (_, index) => view.readUInt16LE(index * 2));
  for (let round = 15; round >= 0; round -= 1) {
    for (let index = 3; index >= 0; index -= 1) unmix(r, index, words[round * 4 + index] ?? 0);
    if (round === 11 || round === 5) unmash(r, words);
  }
  r.forEach((word, index) => view.writeUInt16LE(word, index * 2));
  return view;
}

function unmix(r: Uint16Array, index: number, word: number): void {
  const turn = ROTATIONS[index] ?? 1;
  const value = r[index] ?? 0;
  const turned = (value >>> turn) | (value << (16 - turn));
  const [one, two, three] = [r[(index + 3) % 4] ?? 0, r[(index + 2) % 4] ?? 0, r[(index + 1) % 4] ?? 0];
  r[index] = turned - word - (one & two) - (~one & three);
}

function unmash(r: Uint16Array, words: Uint16Array): void {
  for (let index = 3; index >= 0; index -= 1) {
    r[index] = (r[index] ?? 0) - (words[(r[(index + 3) % 4] ?? 0) & 63] ?? 0);
  }
}

function withoutPadding(plain: Buffer): Buffer | undefined {
  const length = plain.at(-1) ?? 0;
  const isPadding =
    length >= 1 && length <= BLOCK && plain.subarray(-length).every((byte) => byte === length);
  return isPadding ? plain.subarray(0, -length) : undefined;
}

function pi(index: number): number {
  return PI[index & 0xff] ?? 0;
}
