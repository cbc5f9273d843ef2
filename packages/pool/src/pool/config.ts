import { InvalidOptionError } from '@knsock/core/errors';
import type { ErrorListener } from '@knsock/core';
import {
  callback,
  duration,
  failures,
  having,
  integer,
  integerWithin,
  readAllOptions,
  readOptions,
  refuseUnknown,
  text,
  withDefault,
  word,
  type BackOff,
  type FailureReporter,
  type OptionReaders,
} from '@knsock/core/options';
import { systemClock, type Clock } from '../clock.js';
import type { Leak } from './leak-detector.js';
import { boundedWait } from '../waiting/wait-options.js';

/** Why a resource is destroyed. */
export type DestroyReason =
  | 'idle' // unused for idleTimeout
  | 'lifetime' // older than maxLifetime, or its own limit
  | 'dead' // ended by itself, or a check failed
  | 'unclean' // released in a state that isn't reusable
  | 'discarded' // its holder destroyed it
  | 'evicted' // softEvict()
  | 'superseded' // created before supersede()
  | 'retired' // retired by retire()
  | 'leaked' // its lease was collected unreleased
  | 'closed' // the pool was closed
  | 'overdue'; // still in use at the deadline of close()

/** The operations on the resources of a pool. */
export interface Factory<T> {
  /** Creates a resource; the signal fires when it isn't needed any more (`createTimeout`, or the pool closes). */
  create(context: { signal: AbortSignal }): T | Promise<T>;
  /** Destroys one; its slot is free once that settles, or after `destroyTimeout`. Errors go to `onError`. */
  destroy?(resource: T, reason: DestroyReason): void | Promise<void>;
  /** Whether one is still alive; called before lending one that was unused for `validateAfter`, and every `keepalive`. */
  validate?(resource: T, context: { signal: AbortSignal }): boolean | Promise<boolean>;
  /** Whether a used one is unchanged since its release; called each time before it is lent again. If not, it is destroyed. */
  untouched?(resource: T): boolean;
  /** Whether a released one may be lent again; `error` is what the function given to `use` threw. By default: if nothing was thrown. */
  reusable?(resource: T, error: unknown): boolean;
  /** Its own maximum lifetime from now, in milliseconds, beside `maxLifetime`. */
  lifetime?(resource: T): number;
  /** Called when a lent one should be released soon. */
  onRetire?(resource: T, reason: DestroyReason): void;
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

/** How the limits of every pool are read, and their defaults. */
export const poolLimitOptions = {
  name: withDefault(text, 'pool'),
  min: withDefault(integer, 0),
  max: withDefault(integerWithin({ min: 1 }), 10),
  acquireTimeout: withDefault(boundedWait, 30_000),
  maxWaiters: withDefault(integerOrInfinity, 10_000),
  idleTimeout: withDefault(duration, 600_000),
  maxLifetime: withDefault(duration, 1_800_000),
  keepalive: withDefault(duration, 120_000),
  validateAfter: withDefault((option, value) => duration(option, value, { min: 0 }), 500),
  validateTimeout: withDefault(boundedWait, 5_000),
  createTimeout: withDefault(boundedWait, 30_000),
  destroyTimeout: withDefault(boundedWait, 5_000),
  leakThreshold: withDefault(duration, Infinity),
  onLeak: callback<PoolLimits['onLeak']>,
  onError: failures,
  reuse: withDefault(word('lifo', 'fifo'), 'lifo'),
  backOff: parseBackOff,
  clock: (option, value: Clock | undefined) =>
    having(option, value, 'a clock', ['now', 'after']) ?? systemClock,
  random: (option, value: (() => number) | undefined) => callback(option, value) ?? Math.random,
} as const satisfies OptionReaders<PoolLimits>;

const factoryOptions = {
  create: callback,
  destroy: callback,
  validate: callback,
  untouched: callback,
  reusable: callback,
  lifetime: callback,
  onRetire: callback,
} as const satisfies OptionReaders<Factory<unknown>>;

const poolOptions = { ...poolLimitOptions, ...factoryOptions };

/** @throws InvalidOptionError naming the invalid option */
export function parsePool<T>(options: PoolOptions<T>): PoolConfig {
  refuseUnknown(options, poolOptions);
  readOptions(options, factoryOptions);
  if (!options.create) throw new InvalidOptionError('create', 'create is missing');
  const { onError, ...limits } = readOptions(options, poolLimitOptions);
  const { min, max } = limits;
  if (min > max) throw new InvalidOptionError('min', `min is ${min}, over max ${max}`);
  return Object.freeze({ ...limits, failures: onError });
}

function integerOrInfinity(option: string, value: number | undefined): number | undefined {
  return value === Infinity ? Infinity : integer(option, value);
}

const backOffOptions = {
  first: withDefault(boundedWait, 100),
  longest: withDefault(boundedWait, 5_000),
} as const satisfies OptionReaders<BackOff>;

function parseBackOff(option: string, value: Partial<BackOff> = {}): BackOff {
  const { first, longest } = readAllOptions(value, backOffOptions, option);
  if (first > longest)
    throw new InvalidOptionError(`${option}.first`, `first is ${first}, over longest ${longest}`);
  return { first, longest };
}
