import { inspect } from '../node/inspect.js';
import { isNativeError } from 'node:util/types';

/** What of an error is looked at here; its stack costs too much. */
const looked = ['name', 'message', 'cause', 'code'];

/** Whatever was thrown, as an error: programs may throw anything, objects that can't be shown included. */
export function asError(thrown: unknown): Error {
  if (typeof thrown === 'string') return new Error(thrown, { cause: thrown });
  try {
    if (thrown instanceof Error || isNativeError(thrown)) {
      for (const name of looked) Reflect.get(thrown, name);
      if (typeof thrown.message === 'string') return thrown;
    }
    return new Error(inspect(thrown, { depth: 0 }), { cause: thrown });
  } catch {
    // Getters, or the traps of a proxy threw. As a cause it would end programs that only print the error.
    return new Error("a value that can't be shown was thrown");
  }
}
