import { InvalidOptionError } from '../errors/index.js';
import { LONGEST_WAIT } from '../options/index.js';

/** What is wrong with the `timeout` of one call: Node's timers fire at once for what they can't count, and for none. */
export function wrongWait(timeout: number | undefined): InvalidOptionError | undefined {
  if (timeout === undefined) return undefined;
  if (typeof timeout === 'number' && timeout >= 0 && timeout <= LONGEST_WAIT) return undefined;
  const message = `timeout must be a number of milliseconds from 0 to ${LONGEST_WAIT}, not ${String(timeout)}`;
  return new InvalidOptionError('timeout', message);
}
