import { InvalidOptionError } from '@knsock/core/errors';
import { asError, follow, isThenable, noConnection, withDeadline } from '@knsock/core/options';
import type { Factory, PoolConfig, DestroyReason } from './config.js';

/** Why a resource isn't alive, undefined if it is; a check that throws, times out or is aborted counts as no. */
export async function whyDead<T>(
  factory: Factory<T>,
  config: PoolConfig,
  resource: T,
  stop: AbortSignal,
): Promise<Error | undefined> {
  const { clock, validateTimeout } = config;
  try {
    const isAlive = await withDeadline({
      ms: validateTimeout,
      signal: stop,
      run: (signal) => factory.validate?.(resource, { signal }) ?? true,
      clock,
      signalFailed: signalFailed(config, 'validate'),
      late: () => new Error(`validating took longer than ${validateTimeout} ms`),
    });
    return isAlive ? undefined : new Error('validate() said that it is dead');
  } catch (error) {
    return asError(error);
  }
}

/** Whether a resource may be lent again; a factory that throws counts as no. */
export function isReusable<T>(factory: Factory<T>, config: PoolConfig, resource: T, error: unknown): boolean {
  if (!factory.reusable) return error === undefined;
  return answerAtOnce(config, 'reusable', () => factory.reusable?.(resource, error)) ?? false;
}

/** Whether an idle resource is unchanged; a factory that throws counts as no. */
export function isUntouched<T>(factory: Factory<T>, config: PoolConfig, resource: T): boolean {
  if (!factory.untouched) return true;
  return answerAtOnce(config, 'untouched', () => factory.untouched?.(resource)) ?? false;
}

/** Announces that a lent one should be released; it is retired even if that throws. */
export function announceRetirement<T>(
  factory: Factory<T>,
  config: PoolConfig,
  resource: T,
  reason: DestroyReason,
): void {
  const { failures, name } = config;
  failures.run(() => factory.onRetire?.(resource, reason), noConnection, `onRetire() of ${name}`);
}

/** A resource's own maximum lifetime, milliseconds; 0 if the factory fails. */
export function ownLifetime<T>(factory: Factory<T>, config: PoolConfig, resource: T): number {
  if (!factory.lifetime) return Infinity;
  const ms = answerAtOnce(config, 'lifetime', () => factory.lifetime?.(resource)) ?? 0;
  return Number.isNaN(ms) ? 0 : ms;
}

/** Destroys a resource and calls back when that is done: at once, later, or on timeout. */
export function destroy<T>(
  factory: Factory<T>,
  config: PoolConfig,
  resource: T,
  reason: DestroyReason,
  gone: () => void,
): void {
  const { clock, destroyTimeout } = config;
  const ended = attempt(config, 'destroy', () => factory.destroy?.(resource, reason));
  if (ended === undefined) {
    gone();
    return;
  }
  const late = () => new Error(`destroying took longer than ${destroyTimeout} ms`);
  void withDeadline({ ms: destroyTimeout, run: () => ended, late, clock }).then(gone, (error: unknown) => {
    reportCall(config, 'destroy', error);
    gone();
  });
}

/** Destroys a resource that arrived when it wasn't needed any more. */
export async function discard<T>(factory: Factory<T>, config: PoolConfig, late: T): Promise<void> {
  try {
    await factory.destroy?.(late, 'discarded');
  } catch (error) {
    reportCall(config, 'destroy', error);
  }
}

/** Errors thrown by a listener of the signal given to a call. */
export function signalFailed(
  { failures, name }: PoolConfig,
  call: 'create' | 'validate',
): (error: unknown) => void {
  return (error) => {
    failures.report(error, noConnection, `a listener of the signal given to ${call}() of ${name}`);
  };
}

/** As `attempt`, for synchronous calls: a promise is no valid result, and would count as true whatever its outcome. */
function answerAtOnce<R>(
  config: PoolConfig,
  call: 'reusable' | 'untouched' | 'lifetime',
  action: () => R,
): R | undefined {
  const answer = attempt(config, call, action);
  if (!isThenable(answer)) return answer;
  const failed = (error: unknown) => {
    reportCall(config, call, error);
  };
  failed(new InvalidOptionError(call, `${call}() returned a promise, and must answer at once`));
  follow(answer, undefined, failed);
  return undefined;
}

function attempt<R>(config: PoolConfig, call: keyof Factory<unknown>, action: () => R): R | undefined {
  try {
    return action();
  } catch (error) {
    reportCall(config, call, error);
    return undefined;
  }
}

function reportCall({ failures, name }: PoolConfig, call: keyof Factory<unknown>, error: unknown): void {
  failures.report(error, noConnection, `${call}() of ${name}`);
}
