/** Options as a whole: none that doesn't exist. A misspelt one, such as `nameConstraint`, must not be ignored. */
import { InvalidOptionError } from '../errors/option.js';
import { record } from './readers.js';
import { suggestionFor } from './suggestion.js';

/** Who reads each option of an interface, as `{ timeout: milliseconds, names: texts }`. */
export type OptionReaders<T> = {
  readonly [Name in keyof Required<T>]: (option: string, value: T[Name]) => unknown;
};

/**
 * Refuses options of the wrong kind, and those that don't exist.
 * @param group the option that these are the options of
 * @throws InvalidOptionError naming the option
 */
export function checkOptions<T extends object>(options: T, readers: OptionReaders<T>, group?: string): void {
  checkRecord(options, group);
  for (const name of Object.keys(options) as (keyof T & string)[]) {
    if (!Object.hasOwn(readers, name)) throw unknownOption(name, Object.keys(readers), group);
    readers[name](optionName(name, group), options[name]);
  }
}

/**
 * Refuses all options, for a function that has none.
 * @throws InvalidOptionError naming the option
 */
export function refuseOptions(given: readonly unknown[]): void {
  if (given[0] !== undefined) refuseUnknown(given[0] as object, none);
}

const none: ReadonlySet<string> = new Set();

/**
 * Refuses options that don't exist, with the name that may be meant.
 * @param group the option that these are the options of
 * @param alsoKnown further names that may be meant, of options that were taken out before
 * @throws InvalidOptionError naming the option
 */
export function refuseUnknown(
  options: object,
  known: ReadonlySet<string>,
  group?: string,
  alsoKnown: readonly string[] = [],
): void {
  checkRecord(options, group);
  for (const name of Object.keys(options)) {
    if (!known.has(name)) throw unknownOption(name, [...known, ...alsoKnown], group);
  }
}

function checkRecord(options: object | null, group = 'options'): void {
  record(group, options ?? null);
}

function unknownOption(
  name: string,
  known: readonly string[],
  group: string | undefined,
): InvalidOptionError {
  const option = optionName(name, group);
  return new InvalidOptionError(option, `there is no option ${option}${suggestionFor(name, known)}`);
}

function optionName(name: string, group: string | undefined): string {
  return group === undefined ? name : `${group}.${name}`;
}
