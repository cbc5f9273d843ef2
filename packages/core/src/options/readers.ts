/**
 * Reading single options at the edge. A reader gives back what it was given, of its kind or absent; anything else is an
 * error that names the option.
 */
import { looksLikeContents } from '../errors/contents.js';
import { isDate, isPromise, isUint8Array } from 'node:util/types';
import { InvalidOptionError } from '../errors/option.js';

/** What a number may be; both ends count. */
export interface Bounds {
  readonly min?: number;
  readonly max?: number;
}

/** Node's timers count milliseconds in 31 bits; a longer wait would be over at once. */
export const LONGEST_WAIT = 2 ** 31 - 1;

/** A number, whole or not. */
export function number<V extends number | undefined>(option: string, value: V): V {
  return ofKind(option, value, 'a number', isNumber);
}

/** A whole number; `min` is 0 unless given. */
export function integer<V extends number | undefined>(option: string, value: V, bounds: Bounds = {}): V {
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = bounds;
  if (value === undefined || (Number.isInteger(value) && value >= min && value <= max)) return value;
  const range = max === Number.MAX_SAFE_INTEGER ? `of ${min} or more` : `from ${min} to ${max}`;
  throw wrongKind(option, value, `a whole number ${range}`);
}

/** The reader of whole numbers in these bounds. */
export function integerWithin(bounds: Bounds) {
  return <V extends number | undefined>(option: string, value: V): V => integer(option, value, bounds);
}

/** A time to wait, in milliseconds. */
export function milliseconds<V extends number | undefined>(option: string, value: V): V {
  if (value === undefined || (Number.isInteger(value) && value >= 1 && value <= LONGEST_WAIT)) return value;
  throw wrongKind(option, value, `a whole number of ms from 1 to ${LONGEST_WAIT}`);
}

/** A time to wait, in milliseconds, that is off unless given: `null`, for `undefined`, `false` or `Infinity`. */
export function optionalMilliseconds(option: string, value: number | false | undefined): number | null {
  if (value === undefined || value === false || value === Number.POSITIVE_INFINITY) return null;
  return milliseconds(option, value);
}

/** A length of time in milliseconds, whole or not, from 1 on unless `min` says otherwise; without `max` it may be infinite. */
export function duration<V extends number | undefined>(option: string, value: V, bounds: Bounds = {}): V {
  const { min = 1, max = Number.POSITIVE_INFINITY } = bounds;
  if (value === undefined || (typeof value === 'number' && value >= min && value <= max)) return value;
  const range = max === Number.POSITIVE_INFINITY ? `${min} or more (Infinity: off)` : `from ${min} to ${max}`;
  throw wrongKind(option, value, `a number of ms, ${range}`);
}

/** A part of a whole, between 0 and 1; neither of them is a part. */
export function fraction<V extends number | undefined>(option: string, value: V): V {
  return ofKind(option, value, 'a number between 0 and 1', isFraction);
}

/** One of a few words. */
export function oneOf<const W extends string>(
  option: string,
  value: string | undefined,
  words: readonly W[],
): W | undefined {
  if (value === undefined) return undefined;
  const word = words.find((candidate) => candidate === value);
  if (word !== undefined) return word;
  throw wrongKind(option, value, `one of ${words.map((candidate) => `'${candidate}'`).join(', ')}`);
}

/** The reader of one of these words. */
export function word<const W extends string>(...words: readonly W[]) {
  return (option: string, value: W | undefined): W | undefined => oneOf(option, value, words);
}

/** True or false, and nothing that might be taken for either: some of these decide about trust. */
export function flag<V extends boolean | undefined>(option: string, value: V): V {
  return ofKind(option, value, 'true or false', isBoolean);
}

/** Text, and not an empty one. */
export function text<V extends string | undefined>(option: string, value: V): V {
  return ofKind(option, value, 'text', isFilledText);
}

/** The path of a file or folder. A NUL is in none. */
export function filePath<V extends string | undefined>(option: string, value: V): V {
  return ofKind(option, value, 'the path of a file or folder', isPath);
}

/** The name of a file that is made in a folder of ours, without its ending. Any file system takes it. */
export function fileName<V extends string | undefined>(option: string, value: V): V {
  if (value === undefined || isFileName(value)) return value;
  const { message } = wrongKind(option, value, 'the name of a file');
  const hint =
    'Use at most 200 letters, digits, dots, dashes and underscores, with a letter, digit or underscore first; no folder.';
  throw new InvalidOptionError(option, message, { hint });
}

/** Text, perhaps an empty one, such as a passphrase or a name that a peer brought along. */
export function string<V extends string | undefined>(option: string, value: V): V {
  return ofKind(option, value, 'text', isText);
}

/** A list, whatever is in it. */
export function list<V extends readonly unknown[] | undefined>(option: string, value: V): V {
  return ofKind(option, value, 'a list', Array.isArray);
}

/** A list of texts. */
export function texts<V extends readonly string[] | undefined>(option: string, value: V): V {
  return ofKind(option, value, 'a list of strings', isTexts);
}

/** Text, not an empty one, or a list of such texts with at least one in it. */
export function textOrTexts<V extends string | readonly string[] | undefined>(option: string, value: V): V {
  return ofKind(option, value, 'text, or a list of texts', isFilled);
}

/** The contents of a file. */
export function bytes<V extends string | Uint8Array | undefined>(option: string, value: V): V {
  return ofKind(option, value, 'text or bytes', isBytes);
}

/** The contents of a file, or of several. */
export function bytesOrList<V extends string | Uint8Array | readonly (string | Uint8Array)[] | undefined>(
  option: string,
  value: V,
): V {
  return ofKind(option, value, 'text or bytes, or a list of them', isBytesOrList);
}

/** An object of options. */
export function record<V>(option: string, value: V): V {
  return ofKind(option, value, 'an object', isRecord);
}

export function callback<V>(option: string, value: V): V {
  return ofKind(option, value, 'a function', isFunction);
}

/** An object that has these methods, whatever else it may be. */
export function having<V extends object>(
  option: string,
  value: V | undefined,
  what: string,
  methods: readonly (keyof V)[],
): V | undefined {
  return ofKind(option, value, what, (given) =>
    methods.every((method) => isFunction((given as V | null)?.[method])),
  );
}

/** A moment in time. */
export function date<V extends Date | undefined>(option: string, value: V): V {
  return ofKind(option, value, 'a valid Date', isMoment);
}

export function abortSignal(option: string, value: AbortSignal | undefined): AbortSignal | undefined {
  if ((value as unknown) instanceof AbortController) throw controllerForSignal(option);
  return having(option, value, 'an AbortSignal', ['throwIfAborted', 'addEventListener']);
}

/** Checked where it is used. */
export function anything<V>(_option: string, value: V): V {
  return value;
}

/** For a reader of one's own: an error that says what was given, in few words. */
export function wrongKind(option: string, value: unknown, what: string): InvalidOptionError {
  return new InvalidOptionError(option, `${option} must be ${what}, not ${show(value)}`);
}

function ofKind<V>(option: string, value: V, what: string, is: (given: unknown) => boolean): V {
  if (value === undefined || is(value)) return value;
  throw wrongKind(option, value, what);
}

function controllerForSignal(option: string): InvalidOptionError {
  return new InvalidOptionError(option, `${option} must be an AbortSignal, not its controller`, {
    hint: `Give the controller's signal: { ${option}: controller.signal }.`,
  });
}

const isNumber = (value: unknown): boolean => typeof value === 'number' && !Number.isNaN(value);
const isFraction = (value: unknown): boolean => typeof value === 'number' && value > 0 && value < 1;
const isBoolean = (value: unknown): boolean => typeof value === 'boolean';
const isText = (value: unknown): boolean => typeof value === 'string';
const isFilledText = (value: unknown): boolean => isText(value) && value !== '';
const isPath = (value: unknown): boolean => isFilledText(value) && !(value as string).includes('\0');
const isFileName = (value: unknown): boolean =>
  isText(value) && /^[A-Za-z0-9_][A-Za-z0-9._-]{0,199}$/.test(value as string);
const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText);
const isFilled = (value: unknown): boolean =>
  Array.isArray(value) ? value.length > 0 && value.every(isFilledText) : isFilledText(value);
const isBytes = (value: unknown): boolean => isText(value) || isUint8Array(value);
const isBytesOrList = (value: unknown): boolean =>
  Array.isArray(value) ? value.every(isBytes) : isBytes(value);
const isFunction = (value: unknown): boolean => typeof value === 'function';
const isMoment = (value: unknown): boolean => isDate(value) && isNumber(value.getTime());
const isRecord = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const LONGEST_SHOWN = 100;

/** What was given, in few words: it may be anything. */
export function show(value: unknown): string {
  if (typeof value === 'string') return showText(value);
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return 'a list';
  if (isPromise(value)) return 'a promise; did you forget await?';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}

function showText(text: string): string {
  if (looksLikeContents(text)) return `a text of ${text.length} characters`;
  return `'${text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text}'`;
}
