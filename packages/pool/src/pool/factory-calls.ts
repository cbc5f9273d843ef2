import type { Factory, PoolConfig, Reason } from './config.js';
import { bounded } from '../waiting/deadline.js';

/** Whether a resource is alive; a check that throws, takes too long or is stopped says no. */
export async function isAlive<T>(
  factory: Factory<T>,
  { clock, validateTimeout }: PoolConfig,
  resource: T,
  stop: AbortSignal,
): Promise<boolean> {
  try {
    return await bounded(clock, {
      ms: validateTimeout,
      signal: stop,
      run: (signal) => factory.validate?.(resource, { signal }) ?? true,
      late: () => new Error(`validating took longer than ${validateTimeout} ms`),
    });
  } catch {
    return false;
  }
}

/** Whether a resource may be lent again; a factory that throws when asked says no. */
export function isReusable<T>(factory: Factory<T>, resource: T, error: unknown): boolean {
  if (!factory.reusable) return error === undefined;
  try {
    return factory.reusable(resource, error);
  } catch {
    return false;
  }
}

/** Whether an idle resource is as it was left; a factory that throws when asked says no. */
export function isUntouched<T>(factory: Factory<T>, resource: T): boolean {
  if (!factory.untouched) return true;
  try {
    return factory.untouched(resource);
  } catch {
    return false;
  }
}

/** Tells that one that is lent should come back; it goes all the same where that throws. */
export function announceRetirement<T>(factory: Factory<T>, resource: T, reason: Reason): void {
  attempt(() => factory.onRetire?.(resource, reason));
}

/** How long a resource may live by its own nature, milliseconds; a factory that can’t tell allows it no time at all. */
export function ownLifetime<T>(factory: Factory<T>, resource: T): number {
  try {
    const ms = factory.lifetime?.(resource) ?? Infinity;
    return Number.isNaN(ms) ? 0 : ms;
  } catch {
    return 0;
  }
}

/** Ends a resource and calls back when that is done: at once, later, or when it took too long. */
export function destroy<T>(
  factory: Factory<T>,
  { clock, destroyTimeout }: PoolConfig,
  resource: T,
  reason: Reason,
  gone: () => void,
): void {
  const ended = attempt(() => factory.destroy?.(resource, reason));
  if (ended === undefined) {
    gone();
    return;
  }
  const late = () => new Error(`destroying took longer than ${destroyTimeout} ms`);
  void bounded(clock, { ms: destroyTimeout, run: () => ended, late }).then(gone, gone);
}

function attempt<R>(action: () => R): R | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}
