import { inspect } from '../node/inspect.js';
import { isNativeError } from 'node:util/types';

/** Whatever was thrown, as an error: programs may throw anything, objects that can't be shown included. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error || isNativeError(thrown)
    ? thrown
    : new Error(show(thrown), { cause: thrown });
}

function show(thrown: unknown): string {
  if (typeof thrown === 'string') return thrown;
  try {
    return inspect(thrown, { depth: 0 });
  } catch {
    return "a value that can't be shown was thrown";
  }
}
