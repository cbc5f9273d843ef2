import { InvalidOptionError } from '@knsock/core/errors';
import type { ErrorListener } from '@knsock/core';
import {
  callback,
  duration,
  failures,
  having,
  integer,
  oneOf,
  refuseUnknown,
  text,
  type BackOff,
  type FailureReporter,
} from '@knsock/core/options';
import { systemClock, type Clock } from '../clock.js';
import type { Leak } from './leak-detector.js';
import { boundedWait } from '../waiting/wait-options.js';

/** Why a resource is destroyed. */
export type Reason =
  | 'idle' // unused for idleTimeout
  | 'lifetime' // older than maxLifetime, or its own limit
  | 'dead' // ended by itself, or a check failed
  | 'unclean' // released in a state that isn't reusable
  | 'discarded' // its holder destroyed it
  | 'evicted' // softEvict()
  | 'superseded' // created before supersede()
  | 'retired' // retired by retire()
  | 'leaked' // its lease was collected unreleased
  | 'closed'; // the pool was closed

/** The operations on the resources of a pool. */
export interface Factory<T> {
  /** Creates a resource; the signal fires when it isn't needed any more (`createTimeout`, or the pool closes). */
  create(context: { signal: AbortSignal }): T | Promise<T>;
  /** Destroys one; its slot is free once that settles, or after `destroyTimeout`. Errors go to `onError`. */
  destroy?(resource: T, reason: Reason): void | Promise<void>;
  /** Whether one is still alive; called before lending one that was unused for `validateAfter`, and every `keepalive`. */
  validate?(resource: T, context: { signal: AbortSignal }): boolean | Promise<boolean>;
  /** Whether a used one is unchanged since its release; called each time before it is lent again. If not, it is destroyed. */
  untouched?(resource: T): boolean;
  /** Whether a released one may be lent again; `error` is what the function given to `use` threw. By default: if nothing was thrown. */
  reusable?(resource: T, error: unknown): boolean;
  /** Its own maximum lifetime from now, in milliseconds, beside `maxLifetime`. */
  lifetime?(resource: T): number;
  /** Called when a lent one should be released soon. */
  onRetire?(resource: T, reason: Reason): void;
}

/** Sizes and times: all times are milliseconds; `Infinity` disables a time where that is allowed. */
export interface PoolLimits {
  /** Shown in errors and events. Default `'pool'`. */
  name?: string | undefined;
  /** Minimum number kept ready. Default 0. */
  min?: number | undefined;
  /** Maximum number, including those being created or destroyed. Default 10. */
  max?: number | undefined;
  /** How long `acquire` waits in total. Default 30,000. */
  acquireTimeout?: number | undefined;
  /** How many callers may wait. Default 10,000. */
  maxWaiters?: number | undefined;
  /** How long one may stay unused while there are more than `min`. Default 600,000. */
  idleTimeout?: number | undefined;
  /** Maximum age, minus up to a tenth at random. Default 1,800,000. */
  maxLifetime?: number | undefined;
  /** How long one may stay unused before it is checked. Default 120,000. */
  keepalive?: number | undefined;
  /** One unused for less than this is lent without validation. Default 500. */
  validateAfter?: number | undefined;
  /** How long `validate` may take. Default 5,000. */
  validateTimeout?: number | undefined;
  /** How long `create` may take. Default 30,000. */
  createTimeout?: number | undefined;
  /** How long `destroy` may take before its slot is freed anyway. Default 5,000. */
  destroyTimeout?: number | undefined;
  /** Report leases held longer than this, and those collected unreleased. Default off; makes an acquire five times as expensive. */
  leakThreshold?: number | undefined;
  /** Called for leaks; default a process warning. */
  onLeak?: ((leak: Leak) => void) | undefined;
  /** Receives every error that reaches no caller, such as those of `destroy`; default: a process warning. */
  onError?: ErrorListener | undefined;
  /** Which idle one is lent first: the last used (so that surplus ones expire) or the first. Default `'lifo'`. */
  reuse?: 'lifo' | 'fifo' | undefined;
  /** Back-off between failed creations. Default from 100 to 5,000, minus up to half of it at random. */
  backOff?: Partial<BackOff> | undefined;
  /** Source of time; for tests. */
  clock?: Clock | undefined;
  /** Source of random numbers in [0, 1); for tests. */
  random?: (() => number) | undefined;
}

/** Options of `new Pool`. */
export type PoolOptions<T> = Factory<T> & PoolLimits;

/** The limits with every default filled in. */
export type PoolConfig = {
  readonly [K in Exclude<keyof PoolLimits, 'backOff' | 'onLeak' | 'onError'>]-?: Exclude<
    PoolLimits[K],
    undefined
  >;
} & { readonly backOff: BackOff; readonly onLeak: PoolLimits['onLeak']; readonly failures: FailureReporter };

/** The limits that every pool has as options. */
export const limitNames = [
  'name',
  'min',
  'max',
  'acquireTimeout',
  'maxWaiters',
  'idleTimeout',
  'maxLifetime',
  'keepalive',
  'validateAfter',
  'validateTimeout',
  'destroyTimeout',
  'leakThreshold',
  'onLeak',
  'onError',
  'reuse',
  'backOff',
  'clock',
  'random',
] as const satisfies readonly (keyof PoolLimits)[];

const factoryNames = [
  'create',
  'destroy',
  'validate',
  'untouched',
  'reusable',
  'lifetime',
  'onRetire',
] as const satisfies readonly (keyof Factory<unknown>)[];

const known = new Set<string>([...limitNames, 'createTimeout', ...factoryNames]);

/** @throws InvalidOptionError naming the invalid option */
export function parsePool<T>(options: PoolOptions<T>): PoolConfig {
  refuseUnknown(options, known);
  for (const name of factoryNames) callback(name, (options as unknown as Record<string, unknown>)[name]);
  if (!options.create) throw new InvalidOptionError('create', 'create is missing');
  return parseLimits(options);
}

function parseLimits(options: PoolLimits): PoolConfig {
  const max = integer('max', options.max, { min: 1 }) ?? 10;
  const min = integer('min', options.min) ?? 0;
  if (min > max) throw new InvalidOptionError('min', `min is ${min}, over max ${max}`);
  return Object.freeze({
    name: text('name', options.name) ?? 'pool',
    min,
    max,
    acquireTimeout: boundedWait('acquireTimeout', options.acquireTimeout) ?? 30_000,
    maxWaiters:
      options.maxWaiters === Infinity ? Infinity : (integer('maxWaiters', options.maxWaiters) ?? 10_000),
    idleTimeout: duration('idleTimeout', options.idleTimeout) ?? 600_000,
    maxLifetime: duration('maxLifetime', options.maxLifetime) ?? 1_800_000,
    keepalive: duration('keepalive', options.keepalive) ?? 120_000,
    validateAfter: duration('validateAfter', options.validateAfter, { min: 0 }) ?? 500,
    validateTimeout: boundedWait('validateTimeout', options.validateTimeout) ?? 5_000,
    createTimeout: boundedWait('createTimeout', options.createTimeout) ?? 30_000,
    destroyTimeout: boundedWait('destroyTimeout', options.destroyTimeout) ?? 5_000,
    leakThreshold: duration('leakThreshold', options.leakThreshold) ?? Infinity,
    onLeak: callback('onLeak', options.onLeak),
    failures: failures('onError', options.onError),
    reuse: oneOf('reuse', options.reuse, ['lifo', 'fifo']) ?? 'lifo',
    backOff: parseBackOff(options.backOff ?? {}),
    clock: having('clock', options.clock, 'a clock', ['now', 'after']) ?? systemClock,
    random: callback('random', options.random) ?? Math.random,
  });
}

const knownOfBackOff = new Set<string>(['first', 'longest'] satisfies (keyof BackOff)[]);

function parseBackOff(given: Partial<BackOff>): BackOff {
  refuseUnknown(given, knownOfBackOff, 'backOff');
  const first = boundedWait('backOff.first', given.first) ?? 100;
  const longest = boundedWait('backOff.longest', given.longest) ?? 5_000;
  if (first > longest)
    throw new InvalidOptionError('backOff.first', `first is ${first}, over longest ${longest}`);
  return { first, longest };
}
