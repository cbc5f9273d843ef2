/** How the waits between attempts grow; milliseconds. */
export interface BackOff {
  readonly first: number;
  readonly longest: number;
}

/**
 * How long to wait after so many failures in a row: doubling from `first` to `longest`, of which a random half is left
 * out so that many clients of one server don't come back together.
 */
export function backOffDelay(backOff: BackOff, failures: number, random: () => number = Math.random): number {
  const full = Math.min(backOff.first * 2 ** (failures - 1), backOff.longest);
  return full / 2 + (random() * full) / 2;
}
