/** The header Retry-After (RFC 9110 §10.2.3): seconds, or a date. */

/**
 * Ms to wait from now on; undefined where the header is absent or damaged.
 * @param now the server's clock, which a date is by
 */
export function retryAfterMs(header: string | undefined, now: Date): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d{1,9}$/.test(header.trim())) return Number(header) * 1_000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(date - now.getTime(), 0);
}

/** The same within bounds; `otherwise` where the server says nothing. */
export function boundedRetryAfter(
  header: string | undefined,
  now: Date,
  { least, most, otherwise }: { readonly least: number; readonly most: number; readonly otherwise: number },
): number {
  return Math.min(Math.max(retryAfterMs(header, now) ?? otherwise, least), most);
}
