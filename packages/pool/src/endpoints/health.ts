import { backOffDelay } from '@knsock/core/options';

/**
 * Health of an endpoint: set aside after failures, for longer each time, and brought back gradually.
 * Plain values and pure functions; times are the clock's.
 */
export interface Health {
  /** In a row. */
  readonly failures: number;
  /** How often it was set aside since it was last healthy. */
  readonly ejections: number;
  /** The end of the current or last time set aside. */
  readonly until: number;
}

/** How an endpoint failed: it refused connections, another was much faster, or it stopped answering. */
export type EndpointFailure = 'unreachable' | 'slow' | 'silent';

/** This many unanswered requests in a row set an endpoint aside; one failed attempt to connect suffices. */
const SILENT = 3;
const BACK_OFF = { first: 1_000, longest: 30_000 };
/** How long an endpoint takes, after the time set aside, to get its full share again. */
const RETURN = 10_000;
const LEAST_SHARE = 0.1;

export const healthy: Health = Object.freeze({ failures: 0, ejections: 0, until: -Infinity });

export function recordFailure(
  health: Health,
  how: EndpointFailure,
  now: number,
  random: () => number,
): Health {
  // Further failures meanwhile have the same cause.
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

/** An endpoint's share of its usual work: 0 while set aside, then from a tenth to 1. */
export function share(health: Health, now: number): number {
  if (now < health.until) return 0;
  if (health.ejections === 0) return 1;
  return Math.min(1, Math.max(LEAST_SHARE, (now - health.until) / RETURN));
}
