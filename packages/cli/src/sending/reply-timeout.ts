/** How long `knsock send` waits for replies. Times are milliseconds. */
export interface ReplyTimeout {
  /** `--timeout`: the longest silence while a reply is missing. */
  readonly timeout: number;
  /** `--wait`: the silence after which it ends, however many replies came; undefined: by their number. */
  readonly wait: number | undefined;
}

/** After the last reply that was expected, so much more is waited for another. */
const AFTERWARDS = 250;

/** What a silence of how long means now: the end, or that a reply is missing. */
export function replyTimeoutNow(
  { timeout, wait }: ReplyTimeout,
  { missing }: { missing: boolean },
): { readonly ms: number; readonly then: 'done' | 'late' } {
  if (wait !== undefined) return { ms: wait, then: 'done' };
  return missing ? { ms: timeout, then: 'late' } : { ms: AFTERWARDS, then: 'done' };
}
