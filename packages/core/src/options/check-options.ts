/**
 * Options as a whole, read by a table of readers. A table is the one place of an option's name, kind and default: checks,
 * the values used and docs/defaults.md come from it. None is taken that isn't in its table, so that a misspelt one, such
 * as `nameConstraint`, isn't ignored.
 */
import { InvalidOptionError } from '../errors/option.js';
import { record } from './readers.js';
import { suggestionFor } from './suggestion.js';

/** Who reads each option of an interface, as `{ timeout: milliseconds, names: texts }`. */
export type OptionReaders<T> = {
  readonly [Name in keyof Required<T>]: (option: string, value: T[Name]) => unknown;
};

/** A table of readers, of whichever options. */
export type Readers = Readonly<Record<string, (option: string, value: never) => unknown>>;

/** What a table of readers makes of options: each is there, with its default where it wasn't given. */
export type ReadOptions<R> = {
  readonly [Name in keyof R]: R[Name] extends (option: string, value: never) => infer Value ? Value : never;
};

/** A reader of an option that has a default. */
export interface DefaultingReader<Value> {
  (option: string, value: Value | undefined): Value;
  readonly fallback: Value;
}

/** Reads an option that is `fallback` where it isn't given. */
export function withDefault<Value>(
  read: (option: string, value: Value | undefined) => Value | undefined,
  fallback: NoInfer<Value>,
): DefaultingReader<Value> {
  return Object.assign((option: string, value: Value | undefined) => read(option, value) ?? fallback, {
    fallback,
  });
}

/** Reads an option that must be given. */
export function required<Value>(read: (option: string, value: Value) => unknown) {
  return (option: string, value: Value): Value => {
    if (value === undefined) throw new InvalidOptionError(option, `${option} must be given`);
    read(option, value);
    return value;
  };
}

/**
 * Reads the options that are in a table, with their defaults; others are left to other tables.
 * @param group the option that these are the options of
 * @throws InvalidOptionError naming the option
 */
export function readOptions<R extends Readers>(options: object, readers: R, group?: string): ReadOptions<R> {
  checkRecord(options, group);
  const given = options as Readonly<Record<string, never>>;
  const read = Object.entries(readers).map(
    ([name, reader]) => [name, reader(optionName(name, group), given[name] as never)] as const,
  );
  return Object.fromEntries(read) as ReadOptions<R>;
}

/**
 * Reads options of which there are no more than a table has.
 * @param group the option that these are the options of
 * @throws InvalidOptionError naming the option
 */
export function readAllOptions<R extends Readers>(
  options: object,
  readers: R,
  group?: string,
): ReadOptions<R> {
  refuseUnknown(options, readers, group);
  return readOptions(options, readers, group);
}

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

/** What is wrong with the options of one call; a call without options costs nothing. */
export function wrongOptions<T extends object>(
  options: T | undefined,
  readers: OptionReaders<T>,
): InvalidOptionError | undefined {
  if (options === undefined) return undefined;
  try {
    checkOptions(options, readers);
    return undefined;
  } catch (error) {
    return error as InvalidOptionError;
  }
}

/**
 * Refuses all options, for a function that has none.
 * @throws InvalidOptionError naming the option
 */
export function refuseOptions(given: readonly unknown[]): void {
  if (given[0] !== undefined) refuseUnknown(given[0] as object, {});
}

/**
 * Refuses options that don't exist, with the name that may be meant.
 * @param known a table of readers, or another object that has the names
 * @param group the option that these are the options of
 * @param alsoKnown further names that may be meant, of options that were taken out before
 * @param withheld names of the table that the caller doesn't take from its own caller, and which are never suggested
 * @throws InvalidOptionError naming the option
 */
export function refuseUnknown(
  options: object,
  known: object,
  group?: string,
  alsoKnown: readonly string[] = [],
  withheld: readonly string[] = [],
): void {
  checkRecord(options, group);
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(known, name)) continue;
    const taken = Object.keys(known).filter((option) => !withheld.includes(option));
    throw unknownOption(name, [...taken, ...alsoKnown], group);
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
