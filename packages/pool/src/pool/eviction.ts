import type { Slot } from './slots.js';

/** What decides over an idle resource; milliseconds, `Infinity` where switched off. */
export interface EvictionRules {
  readonly min: number;
  readonly idleTimeout: number;
  readonly keepalive: number;
}

/** What to do with an idle resource now: leave it, see whether it is alive, or destroy it for that reason. */
export type Verdict = 'keep' | 'check' | 'idle' | 'lifetime';

type Times = Pick<Slot<unknown>, 'usedAt' | 'aliveAt' | 'expiresAt'>;

/** @param live how many resources there are, this one included; idle ones beyond `min` may go */
export function judge(slot: Times, live: number, rules: EvictionRules, now: number): Verdict {
  if (slot.expiresAt <= now) return 'lifetime';
  if (live > rules.min && slot.usedAt + rules.idleTimeout <= now) return 'idle';
  return slot.aliveAt + rules.keepalive <= now ? 'check' : 'keep';
}

/** When an idle resource has to be judged next. */
export function dueAt(slot: Times, live: number, rules: EvictionRules): number {
  const idle = live > rules.min ? slot.usedAt + rules.idleTimeout : Infinity;
  return Math.min(slot.expiresAt, idle, slot.aliveAt + rules.keepalive);
}

/**
 * How long a new resource may live: at most `maxLifetime`, and less than its own limit (a certificate’s expiry, say).
 * Up to a tenth is left out at random, so that those born together don’t die together.
 */
export function lifetime(maxLifetime: number, own: number, random: () => number): number {
  return Math.max(0, Math.min(maxLifetime * (1 - random() / 10), own));
}
