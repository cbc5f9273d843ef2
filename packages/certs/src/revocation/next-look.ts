/** When to fetch revocation lists again: pure arithmetic. */

/** Minimum, however short the server's cache lifetime is. */
const FLOOR_MS = 1_000;
/** The fraction of the pause that is subtracted at random, so that many clients don't fetch at once. */
const JITTER = 0.1;

/**
 * The pause in ms, at most `interval`.
 * @param answers cache lifetime of each response, in ms
 * @param lists whose next update shouldn't pass; one that has passed decides nothing, since its server has no newer one
 */
export function nextLook(
  interval: number,
  answers: readonly { readonly freshFor: number | undefined }[],
  lists: readonly { readonly nextUpdate?: Date | undefined }[],
  now: number,
  random: () => number = Math.random,
): number {
  const fresh = answers.flatMap(({ freshFor }) => freshFor ?? []);
  const due = lists.flatMap(({ nextUpdate }) => nextUpdate?.getTime() ?? []).map((at) => at - now);
  const pauses = [...fresh, ...due.filter((left) => left > 0)].map((pause) => Math.max(pause, FLOOR_MS));
  return Math.round(Math.min(interval, ...pauses) * (1 - JITTER * random()));
}
