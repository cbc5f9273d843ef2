import { isUtf8, type Buffer } from 'node:buffer';
import { InvalidJsonError, InvalidOptionError, MessageTooLargeError } from '../errors/index.js';
import {
  anything,
  integer,
  integerWithin,
  readAllOptions,
  withDefault,
  type OptionReaders,
} from '../options/index.js';
import { refuseDepth } from './json-depth.js';
import { jsonErrorPosition } from './json-error-position.js';
import { knsockBrand, isKnsock } from './knsock/index.js';
import { checkFraming } from './check-framing.js';
import type { Framing, FramingLimits, Output } from './framing.js';
import type { SchemaIssue, StandardSchema } from './standard-schema.js';

/** What `json()` accepts. */
export interface JsonOptions<T> {
  /** What every received message must be, from any library that implements Standard Schema v1; validated synchronously. */
  schema?: StandardSchema<T> | undefined;
  /** How deep lists and objects of a received message may be nested; default 64. */
  maxDepth?: number | undefined;
  /** The longest JSON text received, in bytes; default as long as `maxMessageBytes` allows a message. */
  maxBytes?: number | undefined;
}

/** How each of them is read, and its default. */
export const jsonOptions = {
  schema: anything,
  maxDepth: withDefault(integer, 64),
  maxBytes: withDefault(integerWithin({ min: 1 }), Infinity),
} as const satisfies OptionReaders<JsonOptions<unknown>>;

// Looking for the fault costs ten times what parsing does, and blocks the event loop meanwhile.
const FARTHEST = 65_536;

// More issues than these make an unreadable error.
const MAX_ISSUES = 5;

/**
 * JSON values (RFC 8259, UTF-8) in the messages of another framing. What is received is checked against the schema
 * and has its type; what is sent isn't checked.
 *
 * @throws InvalidOptionError where the framing is missing, or none
 *
 * Receiving throws InvalidJsonError, which names the place or the fields at fault and never quotes the message;
 * so does sending what JSON can't express (`undefined`, a bigint, a cycle).
 */
export function json<T = unknown>(framing: Framing, options: JsonOptions<T> = {}): Framing<T, unknown> {
  checkFraming(framing, isOptions(framing) ? 'json(knsock(), { schema })' : 'json(knsock())');
  if (isSchema(options)) throw schemaGiven();
  const { maxDepth, maxBytes } = readAllOptions(options, jsonOptions);
  const parse = (payload: Buffer): unknown => {
    if (payload.length > maxBytes) throw new MessageTooLargeError(payload.length, maxBytes);
    refuseDepth(payload, maxDepth);
    return parseJson(payload);
  };
  const validate = validator(options.schema);
  const brand = isKnsock(framing) ? { [knsockBrand]: true } : {};
  return {
    ...brand,
    name: `json(${framing.name})`,
    alpn: framing.alpn,
    alpnOptional: framing.alpnOptional,
    decoder: (limits: FramingLimits) => framing.decoder(limits),
    encode: (payload: Uint8Array, out: Output) => framing.encode(payload, out),
    parse: (payload: Buffer) => validate(parse(framing.parse ? framing.parse(payload) : payload)),
    print: (message: unknown) => (framing.print ? framing.print(printJson(message)) : printJson(message)),
  };
}

function parseJson(payload: Buffer): unknown {
  if (!isUtf8(payload))
    throw new InvalidJsonError(`a message of ${payload.length} bytes isn't JSON: it isn't UTF-8`);
  const text = payload.toString('utf8');
  try {
    return JSON.parse(text);
  } catch {
    // V8's error is left out on purpose: its message quotes the payload.
    throw notJson(text);
  }
}

function notJson(text: string): InvalidJsonError {
  const position = jsonErrorPosition(text, FARTHEST);
  const length = text.length.toLocaleString('en');
  if (position === null) {
    const passed = FARTHEST.toLocaleString('en');
    return new InvalidJsonError(`a message isn't JSON: the fault is behind character ${passed} of ${length}`);
  }
  if (position === text.length) {
    return new InvalidJsonError(`a message isn't JSON: it ends too early, after ${length} characters`, {
      position,
    });
  }
  const character = JSON.stringify(String.fromCodePoint(text.codePointAt(position)!));
  const place = `character ${(position + 1).toLocaleString('en')} of ${length}`;
  return new InvalidJsonError(`a message isn't JSON: unexpected ${character} at ${place}`, { position });
}

function printJson(message: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(message);
  } catch (cause) {
    throw new InvalidJsonError(`a message can't be sent as JSON: ${(cause as Error).message}`, { cause });
  }
  // JSON.stringify's type leaves out that undefined, a function and a symbol have no JSON.
  if (text === undefined)
    throw new InvalidJsonError(`a message can't be sent as JSON: it is ${typeof message}`);
  return text;
}

function isSchema(options: object): boolean {
  return typeof options === 'object' && (options as object | null) !== null && '~standard' in options;
}

/** What belongs in the second place, or into it. */
function isOptions(given: unknown): boolean {
  if (typeof given !== 'object' || given === null) return false;
  return isSchema(given) || Object.keys(jsonOptions).some((name) => name in given);
}

function schemaGiven(): InvalidOptionError {
  return new InvalidOptionError('schema', 'the schema is an option: did you mean json(framing, { schema })?');
}

function validator<T>(schema: StandardSchema<T> | undefined): (value: unknown) => T {
  if (schema === undefined) return (value) => value as T;
  const standard = (schema as StandardSchema<T> | null)?.['~standard'];
  if (standard?.version !== 1 || typeof standard.validate !== 'function') {
    throw new InvalidOptionError(
      'schema',
      'schema must implement Standard Schema v1 (have a "~standard" property)',
    );
  }
  return (value) => {
    const result = standard.validate(value);
    if ('then' in result) throw asynchronous(result, standard.vendor);
    if (result.issues) throw notAsAgreed(result.issues);
    return result.value;
  };
}

function asynchronous(result: Promise<unknown>, vendor: string): InvalidOptionError {
  result.catch(() => undefined);
  return new InvalidOptionError(
    'schema',
    `the schema (${vendor}) validates asynchronously; json() takes synchronous ones`,
    {
      hint: 'Leave asynchronous checks to the handler.',
    },
  );
}

function notAsAgreed(raw: readonly SchemaIssue[]): InvalidJsonError {
  const issues = raw.map(({ message, path = [] }) => ({ path: pathOf(path), message }));
  const shown = issues
    .slice(0, MAX_ISSUES)
    .map(({ path, message }) => (path ? `${path}: ${message}` : message));
  const more = issues.length > MAX_ISSUES ? ` (and ${issues.length - MAX_ISSUES} more)` : '';
  return new InvalidJsonError(`a message doesn't fit its schema: ${shown.join('; ')}${more}`, { issues });
}

function pathOf(path: NonNullable<SchemaIssue['path']>): string {
  return path.map((part) => String(typeof part === 'object' ? part.key : part)).join('.');
}
