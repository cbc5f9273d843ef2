/** Errors on their way from one thread to another: structured clones lose class, code and fields, so we pack them. */
import { EasySocketError, reviveError } from './base.js';
import { BlockingCallError } from './blocking.js';
import * as connection from './connection.js';
import { MalformedDerError, UnusableKeyError } from './malformed-der.js';
import { InvalidOptionError } from './option.js';
import * as protocol from './protocol.js';
import * as security from './security.js';

/** An error as plain data. */
export interface PackedError {
  /** The brand of its class; null for an error that isn't of this library. */
  readonly family: string | null;
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly cause: PackedError | undefined;
  /** Those of an AggregateError. */
  readonly errors: readonly PackedError[] | undefined;
}

/** Packs whatever was thrown, with its causes; fields that can't be cloned are left behind. */
export function packError(thrown: unknown, depth = 0): PackedError {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const { cause } = error;
  const { errors } = error as { errors?: unknown };
  return {
    family: error instanceof EasySocketError ? error.name : null,
    name: error.name,
    message: error.message,
    stack: error.stack,
    fields: cloneable(error) as Record<string, unknown>,
    cause: cause === undefined || depth === DEEPEST ? undefined : packError(cause, depth + 1),
    errors:
      Array.isArray(errors) && depth < DEEPEST ? errors.map((one) => packError(one, depth + 1)) : undefined,
  };
}

/** Makes the error again: of the same class, with the same fields. Its stack is the caller's, then the other thread's. */
export function unpackError(packed: PackedError): Error {
  const error = remade(packed);
  const [title = ''] = packed.stack?.split('\n', 1) ?? [];
  const here = frames(error.stack);
  return withStack(error, [title, ...here, '    -- in the worker --', ...frames(packed.stack)].join('\n'));
}

/** A chain of causes deeper than this is a mistake. */
const DEEPEST = 8;

const families = new Map(
  [
    BlockingCallError,
    InvalidOptionError,
    MalformedDerError,
    UnusableKeyError,
    ...Object.values(connection),
    ...Object.values(protocol),
    ...Object.values(security),
  ].map((family) => [family.brand, family as typeof EasySocketError]),
);

/** With the stack that it had where it was raised. */
function remade(packed: PackedError): Error {
  const { family, message, stack } = packed;
  const cause = packed.cause === undefined ? undefined : remade(packed.cause);
  const fields = bytesAsBuffers(packed.fields) as Record<string, unknown>;
  if (family === null) return withStack(nativeError(packed, fields, cause), stack);
  return reviveError(families.get(family) ?? EasySocketError, message, fields, cause);
}

function nativeError(
  { name, message, errors }: PackedError,
  fields: object,
  cause: Error | undefined,
): Error {
  const error = new Error(message, cause === undefined ? undefined : { cause });
  if (errors !== undefined) {
    Object.setPrototypeOf(error, AggregateError.prototype);
    Object.defineProperty(error, 'errors', { value: errors.map(remade) });
  } else if (error.name !== name) {
    Object.defineProperty(error, 'name', { value: name });
  }
  return Object.assign(error, fields);
}

function withStack(error: Error, stack: string | undefined): Error {
  return Object.defineProperty(error, 'stack', { value: stack, writable: true, configurable: true });
}

function frames(stack = ''): string[] {
  return stack.split('\n').filter((line) => line.startsWith('    at '));
}

/** The part of a value that crosses: numbers, words, bytes, dates, and lists and records of them. */
function cloneable(value: unknown, depth = 0): unknown {
  if (typeof value === 'function' || typeof value === 'symbol') return undefined;
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  // A copy: the view may be a corner of something large.
  if (value instanceof Uint8Array) return new Uint8Array(value);
  if (depth > 0 && value instanceof Error) return undefined;
  if (depth === DEEPEST) return undefined;
  if (Array.isArray(value)) return value.map((one) => cloneable(one, depth + 1));
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, cloneable(one, depth + 1)]));
}

function bytesAsBuffers(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  if (Array.isArray(value)) return value.map(bytesAsBuffers);
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, bytesAsBuffers(one)]));
}
