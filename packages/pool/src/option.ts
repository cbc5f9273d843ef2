import { InvalidOptionError } from '@knsock/core/errors';

/** The longest wait that a timer can express: about 24 days, in milliseconds. */
export const LONGEST = 2 ** 31 - 1;

/** A wait that must end: `Infinity` is refused. */
export function finite(option: string, value: number, least = 1): number {
  if (typeof value === 'number' && value >= least && value <= LONGEST) return value;
  throw wrong(option, value, `${least} to ${LONGEST} ms`);
}

/** A time that may be switched off. */
export function time(option: string, value: number, least = 1): number {
  if (typeof value === 'number' && value >= least) return value;
  throw wrong(option, value, `${least} ms or more (Infinity: off)`);
}

export function whole(option: string, value: number, least: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw wrong(option, value, `a whole number from ${least}`);
}

export function oneOf<const V extends string>(option: string, value: V, known: readonly V[]): V {
  if (known.includes(value)) return value;
  throw wrong(option, value, `one of ${known.join(', ')}`);
}

export function text(option: string, value: string): string {
  if (typeof value === 'string') return value;
  throw wrong(option, value, 'a text');
}

/** A function where there is anything. */
export function callback<F>(option: string, value: F): F {
  if (value === undefined || typeof value === 'function') return value;
  throw wrong(option, value, 'a function');
}

export function record<T extends object>(option: string, value: T): T {
  if (typeof value === 'object' && (value as unknown) !== null) return value;
  throw wrong(option, value, 'an object');
}

/** Refuses options that don’t exist: a misspelt one must not be ignored. */
export function refuseUnknown(options: object, known: readonly string[], group = ''): void {
  for (const name of Object.keys(record(group === '' ? 'options' : group, options))) {
    if (known.includes(name)) continue;
    const option = group === '' ? name : `${group}.${name}`;
    const near = known.find((word) => word.toLowerCase() === name.replaceAll('_', '').toLowerCase());
    const question = near === undefined ? '' : `; did you mean ${near}?`;
    throw new InvalidOptionError(option, `there is no option ${option}${question}`);
  }
}

function wrong(option: string, value: unknown, wanted: string): InvalidOptionError {
  const shown = typeof value === 'object' && value !== null ? 'an object' : (value as string);
  return new InvalidOptionError(option, `${option} is ${shown}, and must be ${wanted}`);
}
