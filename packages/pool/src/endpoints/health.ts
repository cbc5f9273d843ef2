import { backOffDelay } from '@knsock/core/options';

/**
 * Whether an endpoint is to be used: set aside after failures, for longer each time, and let back gradually.
 * Plain values and functions of them; times are the clock’s.
 */
export interface Health {
  /** In a row. */
  readonly failures: number;
  /** How often it was set aside since it was last well. */
  readonly ejections: number;
  /** Until when it is, or was, set aside. */
  readonly until: number;
}

/** How an endpoint failed: it refused connections, another was much faster, or it stopped answering. */
export type EndpointFailure = 'unreachable' | 'slow' | 'silent';

/** So many silent requests in a row set an endpoint aside; one attempt to connect suffices. */
const SILENT = 3;
const BACK_OFF = { first: 1_000, longest: 30_000 };
/** How long it takes, after the time set aside, until an endpoint has its full share again. */
const RETURN = 10_000;
const LEAST_SHARE = 0.1;

export const healthy: Health = Object.freeze({ failures: 0, ejections: 0, until: -Infinity });

export function recordFailure(
  health: Health,
  how: EndpointFailure,
  now: number,
  random: () => number,
): Health {
  // Whatever else fails meanwhile failed for the same reason.
  if (now < health.until) return health;
  const failures = health.failures + 1;
  if (how === 'silent' && failures < SILENT) return { ...health, failures };
  const ejections = health.ejections + 1;
  return { failures: 0, ejections, until: now + backOffDelay(BACK_OFF, ejections, random) };
}

export function succeeded(health: Health, now: number): Health {
  if (health === healthy || now < health.until) return health;
  if (health.ejections > 0 && now < health.until + RETURN) return { ...health, failures: 0 };
  return healthy;
}

/** The share of its usual work that an endpoint gets: 0 while set aside, then from a tenth to 1. */
export function share(health: Health, now: number): number {
  if (now < health.until) return 0;
  if (health.ejections === 0) return 1;
  return Math.min(1, Math.max(LEAST_SHARE, (now - health.until) / RETURN));
}
