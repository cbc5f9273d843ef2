/** Health of a target: set aside when unreachable, probed again with increasing back-off. */
import { backOffDelay } from '@knsock/core/options';

/** Back-off before a target is probed again, in ms: the same as for the pool's endpoints. */
const BACK_OFF = { first: 1_000, longest: 30_000 };

export class TargetHealth {
  /** Failures in a row. */
  failures = 0;
  readonly #random: () => number;
  #askAt = 0;

  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  get isUp(): boolean {
    return this.failures === 0;
  }

  /** It couldn't be reached. @returns whether that newly sets it aside */
  failed(now: number): boolean {
    this.failures += 1;
    this.#askAt = now + backOffDelay(BACK_OFF, this.failures, this.#random);
    return this.failures === 1;
  }

  /** It could be reached. @returns whether that brings it back */
  reached(): boolean {
    const back = this.failures > 0;
    this.failures = 0;
    return back;
  }

  /** Milliseconds until it should be probed again; 0: now. */
  pause(now: number): number {
    return this.isUp ? Number.POSITIVE_INFINITY : Math.max(0, this.#askAt - now);
  }
}

/** The order in which targets are tried: those that are up, beginning with `first`, and then, as a last resort, the rest. */
export function orderOf(healths: readonly TargetHealth[], first: number): number[] {
  const turn = healths.map((_, index) => (first + index) % healths.length);
  const isUp = (index: number): boolean => healths[index]?.isUp === true;
  return [...turn.filter(isUp), ...turn.filter((index) => !isUp(index))];
}
