const HOUR = 3_600_000;

/**
 * The pause, in ms, after so many failures in a row: doubled each time, an hour at most, a tenth more or less so that
 * many don't come back at once.
 */
export function backOff(first: number, failures: number, random: () => number = Math.random): number {
  const pause = Math.min(first * 2 ** (failures - 1), HOUR);
  return Math.round(pause * (0.9 + 0.2 * random()));
}
