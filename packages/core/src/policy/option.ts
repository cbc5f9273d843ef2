/**
 * Reading single options at the edge: every one comes out with its default filled in, or as an error that names it.
 * Inside the library nothing is optional.
 */
import { InvalidOptionError } from '../errors/index.js';

interface IntegerRule {
  fallback: number;
  min?: number;
  max?: number;
}

/** A whole number within bounds. */
export function integer(option: string, value: number | undefined, rule: IntegerRule): number {
  if (value === undefined) return rule.fallback;
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = rule;
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  const range = max === Number.MAX_SAFE_INTEGER ? `of ${min} or more` : `from ${min} to ${max}`;
  throw new InvalidOptionError(option, `${option} must be a whole number ${range}, not ${show(value)}`);
}

/** Node's timers count milliseconds in 31 bits; a longer wait would fire at once, so it is refused. */
export const LONGEST_WAIT = 2 ** 31 - 1;

/** A time to wait, in milliseconds. */
export function milliseconds(option: string, value: number | undefined, fallback: number): number {
  return integer(option, value, { fallback, min: 1, max: LONGEST_WAIT });
}

/** A time to wait, in milliseconds, that is off unless given; off is `undefined`, `false` or `Infinity`. */
export function optionalMilliseconds(option: string, value: number | false | undefined): number | null {
  if (value === undefined || value === false || value === Number.POSITIVE_INFINITY) return null;
  return milliseconds(option, value, 0);
}

/** One of a few words. */
export function oneOf<const T extends string>(
  option: string,
  value: string | undefined,
  words: readonly T[],
  fallback: T,
): T {
  if (value === undefined) return fallback;
  const word = words.find((candidate) => candidate === value);
  if (word !== undefined) return word;
  const choice = words.map((candidate) => `'${candidate}'`).join(', ');
  throw new InvalidOptionError(option, `${option} must be one of ${choice}, not ${show(value)}`);
}

/** True or false, and nothing that might be taken for either: some of these decide about trust. */
export function flag(option: string, value: boolean | undefined, fallback: boolean): boolean {
  return ofKind(option, value, 'true or false', (given) => typeof given === 'boolean') ?? fallback;
}

/** Text, and not an empty one. */
export function text(option: string, value: string | undefined): string | undefined {
  return ofKind(option, value, 'text', (given) => typeof given === 'string' && given !== '');
}

/** A list of texts. */
export function texts(option: string, value: readonly string[] | undefined): readonly string[] | undefined {
  return ofKind(option, value, 'a list of strings', (given) => Array.isArray(given) && given.every(isText));
}

/** An object of options. */
export function record<T extends object>(option: string, value: T | undefined): T | undefined {
  return ofKind(option, value, 'an object', isRecord);
}

/** An object that has these methods, whatever else it may be. */
export function having<T extends object>(
  option: string,
  value: T | undefined,
  what: string,
  methods: readonly (keyof T)[],
): T | undefined {
  return ofKind(option, value, what, (given) =>
    methods.every((method) => isFunction((given as T | null)?.[method])),
  );
}

export function callback<T>(option: string, value: T | undefined): T | undefined {
  return ofKind(option, value, 'a function', isFunction);
}

export function abortSignal(value: AbortSignal | undefined): AbortSignal | null {
  return having('signal', value, 'an AbortSignal', ['throwIfAborted', 'addEventListener']) ?? null;
}

/**
 * Refuses options that don't exist: a misspelt security option must not be ignored.
 * @param group the option that these are the options of
 */
export function refuseUnknown(options: object, known: ReadonlySet<string>, group = ''): void {
  record(group === '' ? 'options' : group, options ?? null);
  for (const name of Object.keys(options)) {
    if (known.has(name)) continue;
    const option = group === '' ? name : `${group}.${name}`;
    const near = [...known].find((word) => word.toLowerCase() === name.replaceAll('_', '').toLowerCase());
    const question = near === undefined ? '' : `; did you mean ${near}?`;
    throw new InvalidOptionError(option, `there is no option ${option}${question}`);
  }
}

function ofKind<T>(
  option: string,
  value: T | undefined,
  what: string,
  is: (given: unknown) => boolean,
): T | undefined {
  if (value === undefined || is(value)) return value;
  throw new InvalidOptionError(option, `${option} must be ${what}, not ${show(value)}`);
}

const isText = (value: unknown): boolean => typeof value === 'string';
const isFunction = (value: unknown): boolean => typeof value === 'function';
const isRecord = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What was given, in few words: it may be anything, a secret among them. */
function show(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`;
  if (typeof value === 'function') return 'a function';
  return Array.isArray(value) ? 'a list' : String(value);
}
