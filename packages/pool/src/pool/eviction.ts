import type { Slot } from './slots.js';

/** Limits for an idle resource; milliseconds, `Infinity` if disabled. */
export interface EvictionRules {
  readonly min: number;
  readonly idleTimeout: number;
  readonly keepalive: number;
}

/** What to do with an idle resource now: keep it, check it, or destroy it for the given reason. */
export type Verdict = 'keep' | 'check' | 'idle' | 'lifetime';

type Times = Pick<Slot<unknown>, 'usedAt' | 'aliveAt' | 'expiresAt'>;

/** @param live number of resources, including this one; idle ones beyond `min` may be destroyed */
export function judge(slot: Times, live: number, rules: EvictionRules, now: number): Verdict {
  if (slot.expiresAt <= now) return 'lifetime';
  if (live > rules.min && slot.usedAt + rules.idleTimeout <= now) return 'idle';
  return slot.aliveAt + rules.keepalive <= now ? 'check' : 'keep';
}

/** When an idle resource has to be checked next. */
export function dueAt(slot: Times, live: number, rules: EvictionRules): number {
  const idle = live > rules.min ? slot.usedAt + rules.idleTimeout : Infinity;
  return Math.min(slot.expiresAt, idle, slot.aliveAt + rules.keepalive);
}

/**
 * Lifetime of a new resource: at most `maxLifetime` and its own limit (a certificate's expiry, for example).
 * Up to a tenth is subtracted at random, so that resources created together don't expire together.
 */
export function lifetime(maxLifetime: number, own: number, random: () => number): number {
  return Math.max(0, Math.min(maxLifetime * (1 - random() / 10), own));
}
