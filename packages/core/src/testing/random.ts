import { Buffer } from 'node:buffer';

/** Random bytes and cuts that are the same in every run with the same seed. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = (seed * 0x9e3779b9) >>> 0 || 1;
  }

  /** An integer from 0 up to, not including, `end`. */
  below(end: number): number {
    // xorshift32 (Marsaglia 2003)
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state >>> 0;
    return this.#state % end;
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.below(256)));
  }

  /** Cuts into pieces of 1 to `largest` bytes, each in memory of its own. */
  cut(bytes: Buffer, largest: number): Buffer[] {
    const pieces: Buffer[] = [];
    for (let at = 0; at < bytes.length;) {
      const size = 1 + this.below(Math.min(largest, bytes.length - at));
      pieces.push(Buffer.from(bytes.subarray(at, at + size)));
      at += size;
    }
    return pieces;
  }

  /** A copy with a few bytes changed, and perhaps its end cut off. */
  damage(bytes: Buffer): Buffer {
    const damaged = Buffer.from(bytes.subarray(this.below(2), bytes.length - this.below(5)));
    for (let i = this.below(6); i >= 0; i--) damaged[this.below(damaged.length)] = this.below(256);
    return damaged;
  }
}
