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

/** Refuses options that don't exist: a misspelt security option must not be ignored. */
export function refuseUnknown(options: object, known: ReadonlySet<string>): void {
  for (const option of Object.keys(options)) {
    if (known.has(option)) continue;
    const near = [...known].find((name) => name.toLowerCase() === option.replaceAll('_', '').toLowerCase());
    const question = near === undefined ? '' : `; did you mean ${near}?`;
    throw new InvalidOptionError(option, `there is no option ${option}${question}`);
  }
}

function show(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : String(value);
}
