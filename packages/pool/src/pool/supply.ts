/** What a pool knows when it decides whether to create. */
export interface Situation {
  readonly max: number;
  /** Everything that counts against `max`. */
  readonly total: number;
  /** What exists and isn’t being destroyed. */
  readonly live: number;
  readonly creating: number;
  readonly checking: number;
  /** Callers to be served. */
  readonly waiting: number;
  /** How many resources should exist, whoever waits. */
  readonly target: number;
  /** One more is wanted although enough exist: to replace superseded ones, or somewhere else. */
  readonly another: boolean;
  /** The last attempt failed. */
  readonly failing: boolean;
}

/**
 * How many creations to start now. A resource being created or checked serves one waiter; after a failure a single
 * attempt at a time probes, so that a server that comes back isn’t met by a crowd.
 */
export function creationsWanted(s: Situation): number {
  const demand = Math.max(s.waiting - s.checking, s.target - s.live, s.another ? 1 : 0) - s.creating;
  const allowed = s.failing ? 1 - s.creating : demand;
  return Math.max(0, Math.min(demand, allowed, s.max - s.total));
}
