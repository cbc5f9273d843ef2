/** How long `knsock send` waits for replies. Times are milliseconds. */
export interface ReplyTimeout {
  /** `--timeout`: how long to wait for a missing reply. */
  readonly timeout: number;
  /** `--wait`: ends after this silence, however many replies came; undefined: decided by their number. */
  readonly wait: number | undefined;
}

/** How long to wait for another reply after the last expected one. */
const AFTERWARDS = 250;

/** The length of silence to wait for, and its meaning: the end, or a missing reply. */
export function replyTimeoutNow(
  { timeout, wait }: ReplyTimeout,
  { missing }: { missing: boolean },
): { readonly ms: number; readonly then: 'done' | 'late' } {
  if (wait !== undefined) return { ms: wait, then: 'done' };
  return missing ? { ms: timeout, then: 'late' } : { ms: AFTERWARDS, then: 'done' };
}
