/** Whether a program's framing is one, before a connection finds out. */
import { InvalidOptionError } from '../errors/index.js';
import type { Framing } from './framing.js';

const OPTIONAL = { parse: 'function', print: 'function', alpn: 'string', alpnOptional: 'boolean' } as const;

/**
 * @param given what stands in the place of a framing
 * @param example what to write there
 * @throws InvalidOptionError naming `framing`, for `lines` that should be `lines()` too
 */
export function checkFraming(given: unknown, example = 'lines()'): void {
  const wrong = faultOf(given);
  if (wrong === null) return;
  throw new InvalidOptionError('framing', `framing must be a framing, such as ${example}: ${wrong}`);
}

function faultOf(given: unknown): string | null {
  if (given === undefined) return 'it is missing';
  if (typeof given === 'function') return 'it is a function; was it to be called?';
  if (typeof given !== 'object' || given === null) return `it is ${given === null ? 'null' : typeof given}`;
  const framing = given as Partial<Record<keyof Framing, unknown>>;
  if (typeof framing.name !== 'string') return 'it has no name';
  for (const name of ['decoder', 'encode'] as const)
    if (typeof framing[name] !== 'function') return `its ${name} is no function`;
  for (const [name, type] of Object.entries(OPTIONAL)) {
    const value = framing[name as keyof Framing];
    if (value !== undefined && typeof value !== type) return `its ${name} is no ${type}`;
  }
  return null;
}
