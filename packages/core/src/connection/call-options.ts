/** The options of single calls, checked like those of constructors; no work where none are given. */
import { InvalidOptionError } from '../errors/index.js';
import { LONGEST_WAIT } from '../options/index.js';

/** The options that a call may take. */
export type CallOption =
  'signal' | 'timeout' | 'idempotent' | 'deadline' | 'code' | 'text' | 'lend' | 'poison';

const FLAGS: readonly CallOption[] = ['idempotent', 'lend', 'poison'];

/**
 * What is wrong with the options of one call.
 * @param known the options that this call takes
 */
export function checkCall(
  options: Readonly<Record<string, unknown>> | undefined,
  known: readonly CallOption[],
): InvalidOptionError | undefined {
  if (options === undefined) return undefined;
  if (typeof options !== 'object' || (options as unknown) === null || Array.isArray(options)) {
    const words = `options must be an object such as { ${known[0] ?? ''} }, not ${options === null ? 'null' : typeof options}`;
    return new InvalidOptionError('options', words);
  }
  for (const name in options) {
    const wrong = known.includes(name as CallOption)
      ? checkOption(name as CallOption, options[name])
      : unknownOption(name, known);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

function checkOption(name: CallOption, value: unknown): InvalidOptionError | undefined {
  if (value === undefined) return undefined;
  if (name === 'timeout') return validateTimeout(value);
  if (name === 'signal') return validateSignal(value);
  if (FLAGS.includes(name) && typeof value !== 'boolean')
    return new InvalidOptionError(name, `${name} must be true or false, not ${typeof value}`);
  return undefined;
}

/** Node's timers fire at once for a delay that is out of range, and for a missing one. */
function validateTimeout(timeout: unknown): InvalidOptionError | undefined {
  if (typeof timeout === 'number' && timeout >= 0 && timeout <= LONGEST_WAIT) return undefined;
  const message = `timeout must be a number of milliseconds from 0 to ${LONGEST_WAIT}, not ${String(timeout)}`;
  return new InvalidOptionError('timeout', message);
}

function validateSignal(signal: unknown): InvalidOptionError | undefined {
  const { aborted, addEventListener } = Object(signal) as Partial<AbortSignal>;
  if (typeof aborted === 'boolean' && typeof addEventListener === 'function') return undefined;
  const isController = signal instanceof AbortController;
  const hint = isController ? "Give the controller's signal: { signal: controller.signal }." : undefined;
  return new InvalidOptionError('signal', 'signal must be an AbortSignal', {
    ...(hint !== undefined && { hint }),
  });
}

function unknownOption(name: string, known: readonly string[]): InvalidOptionError {
  const near = known.find((word) => word.toLowerCase() === name.toLowerCase());
  const question = near === undefined ? `; there are ${known.join(', ')}` : `; did you mean ${near}?`;
  return new InvalidOptionError(name, `there is no option ${name} here${question}`);
}

/** @throws InvalidOptionError */
export function demandFunction(what: string, value: unknown): void {
  if (typeof value === 'function') return;
  throw new InvalidOptionError(
    what,
    `the ${what} must be a function, not ${value === null ? 'null' : typeof value}`,
  );
}
