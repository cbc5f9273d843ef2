/** Options at the edge: of their kind, and none that doesn't exist. One misspelt, such as `nameConstraint`, must not be ignored. */
import { InvalidOptionError } from '@knsock/core/errors';

/** Timers count milliseconds in 31 bits; a longer wait would be over at once. */
const LONGEST_WAIT = 2 ** 31 - 1;

const kinds = {
  text: { what: 'text', is: (value) => typeof value === 'string' },
  flag: { what: 'true or false', is: (value) => typeof value === 'boolean' },
  number: { what: 'a number', is: (value) => typeof value === 'number' && !Number.isNaN(value) },
  milliseconds: {
    what: `a whole number of ms, from 1 to ${LONGEST_WAIT}`,
    is: (value) => Number.isInteger(value) && (value as number) >= 1 && (value as number) <= LONGEST_WAIT,
  },
  list: { what: 'a list', is: Array.isArray },
  texts: { what: 'a list of texts', is: (value) => Array.isArray(value) && value.every(isText) },
  record: { what: 'an object', is: isRecord },
  function: { what: 'a function', is: (value) => typeof value === 'function' },
  signal: { what: 'an AbortSignal', is: (value) => value instanceof AbortSignal },
  /** Whatever reads it judges it. */
  any: { what: 'anything', is: () => true },
} as const satisfies Record<string, { what: string; is: (value: unknown) => boolean }>;

/** What each option of an interface must be. */
export type OptionKinds<T> = { readonly [Name in keyof Required<T>]: keyof typeof kinds };

/**
 * Refuses options of the wrong kind, and those that don't exist.
 * @param group the option that these are the options of
 * @throws InvalidOptionError
 */
export function checkOptions<T extends object>(options: T, known: OptionKinds<T>, group?: string): void {
  if (!isRecord(options))
    throw new InvalidOptionError(group ?? 'options', `${group ?? 'the options'} must be an object`);
  for (const [name, value] of Object.entries(options)) {
    const option = group === undefined ? name : `${group}.${name}`;
    if (!Object.hasOwn(known, name)) throw new InvalidOptionError(option, `there is no option ${option}`);
    const { what, is } = kinds[known[name as keyof T]];
    if (value !== undefined && !is(value)) throw new InvalidOptionError(option, `${option} must be ${what}`);
  }
}

function isText(value: unknown): boolean {
  return typeof value === 'string';
}

function isRecord(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
