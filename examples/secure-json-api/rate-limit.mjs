// @ts-check

/** A token bucket: so many a second, and as many at once. In one process; several need a store that they share. */
export class RateLimit {
  #perSecond;
  #tokens;
  #at = performance.now();

  /** @param {number} perSecond */
  constructor(perSecond) {
    this.#perSecond = this.#tokens = perSecond;
  }

  /** Takes a token if there is one. */
  take() {
    const now = performance.now();
    const earned = ((now - this.#at) / 1_000) * this.#perSecond;
    this.#tokens = Math.min(this.#perSecond, this.#tokens + earned);
    this.#at = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
