/** Blowfish with bcrypt's key schedule. Its tables are the first 1,042 words of the fraction of π, which are computed. */
const WORDS = 18 + 4 * 256;

let fraction: Int32Array | undefined;

export class Blowfish {
  readonly #p: Int32Array;
  readonly #s: Int32Array;
  /** The halves of the current block. */
  left = 0;
  right = 0;

  constructor() {
    fraction ??= fractionOfPi(WORDS);
    this.#p = fraction.slice(0, 18);
    this.#s = fraction.slice(18);
  }

  /** Encrypts the block in `left` and `right`. */
  encrypt(): void {
    const [p, s] = [this.#p, this.#s];
    let left = this.left ^ (p[0] as number);
    let right = this.right;
    for (let round = 1; round <= 16; round += 1) {
      right ^= mixed(s, left) ^ (p[round] as number);
      [left, right] = [right, left];
    }
    this.left = right ^ (p[17] as number);
    this.right = left;
  }

  /** Replaces the tables by what key and salt (bytes, used over and over) make of them. */
  expand(key: Buffer, salt?: Buffer): void {
    const keyWords = wordsOf(key);
    for (let at = 0; at < 18; at += 1) this.#p[at] = (this.#p[at] as number) ^ keyWords();
    const saltWords = salt === undefined ? (): number => 0 : wordsOf(salt);
    this.left = 0;
    this.right = 0;
    for (const table of [this.#p, this.#s]) {
      for (let at = 0; at < table.length; at += 2) {
        this.left ^= saltWords();
        this.right ^= saltWords();
        this.encrypt();
        table[at] = this.left;
        table[at + 1] = this.right;
      }
    }
  }
}

function mixed(s: Int32Array, word: number): number {
  const sum = (s[word >>> 24] as number) + (s[256 + ((word >>> 16) & 0xff)] as number);
  return ((sum ^ (s[512 + ((word >>> 8) & 0xff)] as number)) + (s[768 + (word & 0xff)] as number)) | 0;
}

/** The words of some bytes, from the beginning again once all were given. */
function wordsOf(bytes: Buffer): () => number {
  let at = 0;
  return () => {
    let word = 0;
    for (let count = 0; count < 4; count += 1) {
      word = (word << 8) | (bytes[at] as number);
      at = (at + 1) % bytes.length;
    }
    return word;
  };
}

/** Machin's formula: π = 16 arctan 1/5 − 4 arctan 1/239. */
function fractionOfPi(words: number): Int32Array {
  const guard = 64n;
  const one = 1n << (BigInt(words * 32) + guard);
  const pi = 16n * arctanOfInverse(5n, one) - 4n * arctanOfInverse(239n, one);
  const hex = ((pi - 3n * one) >> guard).toString(16).padStart(words * 8, '0');
  return Int32Array.from({ length: words }, (_, at) => parseInt(hex.slice(at * 8, at * 8 + 8), 16));
}

function arctanOfInverse(divisor: bigint, one: bigint): bigint {
  let power = one / divisor;
  let sum = power;
  for (let odd = 3n, sign = -1n; power > 0n; odd += 2n, sign = -sign) {
    power /= divisor * divisor;
    sum += (sign * power) / odd;
  }
  return sum;
}
