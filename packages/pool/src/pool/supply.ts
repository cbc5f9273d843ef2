/** Input for the decision whether to create. */
export interface Situation {
  readonly max: number;
  /** Everything that counts against `max`. */
  readonly total: number;
  /** What exists and isn't being destroyed. */
  readonly live: number;
  readonly creating: number;
  readonly checking: number;
  /** Waiting callers. */
  readonly waiting: number;
  /** How many resources should exist, regardless of waiting callers. */
  readonly target: number;
  /** One more is wanted although enough exist: to replace superseded ones, or at another endpoint. */
  readonly another: boolean;
  /** The last attempt failed. */
  readonly failing: boolean;
}

/**
 * How many creations to start now. A resource being created or checked serves one waiter; after a failure, attempts
 * are made one at a time, so that a recovering server isn't flooded.
 */
export function creationsWanted(s: Situation): number {
  const demand = Math.max(s.waiting - s.checking, s.target - s.live, s.another ? 1 : 0) - s.creating;
  const allowed = s.failing ? 1 - s.creating : demand;
  return Math.max(0, Math.min(demand, allowed, s.max - s.total));
}
